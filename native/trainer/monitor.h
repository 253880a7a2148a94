// Owns the judgement that a run has diverged.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace trainer {

struct MonitorConfig {
  double factor = 3;      // how far above the running median a loss is suspect
  int64_t patience = 5;   // suspect steps in a row that end the run
};

/// A loss that is not finite is judged at once. One that is merely high is judged when it stays above both `factor` times the median of the last 64
/// losses and the loss of a model that knows nothing, for `patience` steps: new and harder material raises the loss too, but never that far for long.
class Monitor {
 public:
  /// `ignorance` is the loss of the uniform distribution under the weights of the loss.
  Monitor(const MonitorConfig & config, double ignorance, std::vector<double> & losses, int64_t & alarm)
      : config_(config), ignorance_(ignorance), losses_(losses), alarm_(alarm) {}

  /// What is wrong, or nothing.
  std::string judge(double loss) {
    if (!std::isfinite(loss)) return "the loss is no number";
    const double middle = median();
    const bool suspect = losses_.size() >= least && loss > std::max(config_.factor * middle, ignorance_);
    alarm_ = suspect ? alarm_ + 1 : 0;
    if (alarm_ >= config_.patience) {
      char buffer[128];
      std::snprintf(buffer, sizeof buffer, "the loss is %.3g and its running median was %.3g", loss, middle);
      return buffer;
    }
    if (suspect) return {};  // it would raise the median that it is measured by
    losses_.push_back(loss);
    if (losses_.size() > window) losses_.erase(losses_.begin());
    return {};
  }
  /// No checkpoint is written while this is so: the last one is from before the trouble.
  bool alarmed() const { return alarm_ > 0; }

 private:
  static constexpr size_t window = 64, least = 8;
  MonitorConfig config_;
  double ignorance_;
  std::vector<double> & losses_;
  int64_t & alarm_;

  double median() const {
    if (losses_.empty()) return 0;
    std::vector<double> sorted = losses_;
    std::nth_element(sorted.begin(), sorted.begin() + static_cast<int64_t>(sorted.size() / 2), sorted.end());
    return sorted[sorted.size() / 2];
  }
};

}  // namespace trainer
