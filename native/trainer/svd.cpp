// Owns the decompositions themselves.
#include "svd.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace trainer {

namespace {

double column_product(const Matrix & matrix, int64_t a, int64_t b) {
  double sum = 0;
  for (int64_t i = 0; i < matrix.rows; i++) sum += matrix.at(i, a) * matrix.at(i, b);
  return sum;
}

/// Turns columns p and q by the angle of cosine c and sine s.
void rotate(Matrix & matrix, int64_t p, int64_t q, double c, double s) {
  for (int64_t i = 0; i < matrix.rows; i++) {
    const double x = matrix.at(i, p), y = matrix.at(i, q);
    matrix.at(i, p) = c * x - s * y;
    matrix.at(i, q) = s * x + c * y;
  }
}

Matrix product(const Matrix & a, const Matrix & b) {
  Matrix result(a.rows, b.columns);
  for (int64_t i = 0; i < a.rows; i++)
    for (int64_t k = 0; k < a.columns; k++)
      for (int64_t j = 0; j < b.columns; j++) result.at(i, j) += a.at(i, k) * b.at(k, j);
  return result;
}

}  // namespace

Matrix orthonormalise(Matrix & q) {
  const int64_t n = q.columns;
  Matrix r(n, n);
  for (int64_t i = 0; i < n; i++) r.at(i, i) = 1;
  for (int pass = 0; pass < 2; pass++) {
    Matrix step(n, n);
    for (int64_t j = 0; j < n; j++) {
      const double before = std::sqrt(column_product(q, j, j));
      for (int64_t k = 0; k < j; k++) {
        const double along = column_product(q, k, j);
        step.at(k, j) = along;
        for (int64_t i = 0; i < q.rows; i++) q.at(i, j) -= along * q.at(i, k);
      }
      const double length = std::sqrt(column_product(q, j, j));
      // what is left of a dependent column is rounding error, and no direction
      const bool independent = length > 1e-12 * before && length > 0;
      step.at(j, j) = independent ? length : 0;
      for (int64_t i = 0; i < q.rows; i++) q.at(i, j) = independent ? q.at(i, j) / length : 0;
    }
    r = product(step, r);
  }
  return r;
}

Svd jacobi_svd(const Matrix & matrix) {
  const int64_t n = matrix.columns;
  Matrix u = matrix, v(n, n);
  for (int64_t i = 0; i < n; i++) v.at(i, i) = 1;
  constexpr int sweeps = 60;  // converges in about 10; the limit is for matrices of noise
  for (int sweep = 0; sweep < sweeps; sweep++) {
    bool turned = false;
    for (int64_t p = 0; p < n; p++)
      for (int64_t q = p + 1; q < n; q++) {
        const double a = column_product(u, p, p), b = column_product(u, q, q), c = column_product(u, p, q);
        if (c == 0 || std::fabs(c) <= 1e-14 * std::sqrt(a * b)) continue;
        turned = true;
        const double zeta = (b - a) / (2 * c);
        const double tangent = (zeta >= 0 ? 1 : -1) / (std::fabs(zeta) + std::sqrt(1 + zeta * zeta));
        const double cosine = 1 / std::sqrt(1 + tangent * tangent);
        rotate(u, p, q, cosine, cosine * tangent);
        rotate(v, p, q, cosine, cosine * tangent);
      }
    if (!turned) break;
  }

  std::vector<double> lengths(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; i++) lengths[static_cast<size_t>(i)] = std::sqrt(column_product(u, i, i));
  std::vector<int64_t> order(static_cast<size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  const auto longer = [&](int64_t a, int64_t b) { return lengths[static_cast<size_t>(a)] > lengths[static_cast<size_t>(b)]; };
  std::stable_sort(order.begin(), order.end(), longer);
  Svd result{Matrix(u.rows, n), Matrix(n, n), {}};
  for (int64_t to = 0; to < n; to++) {
    const int64_t from = order[static_cast<size_t>(to)];
    const double length = lengths[static_cast<size_t>(from)];
    result.sigma.push_back(length);
    for (int64_t i = 0; i < u.rows; i++) result.u.at(i, to) = length > 0 ? u.at(i, from) / length : 0;
    for (int64_t i = 0; i < n; i++) result.v.at(i, to) = v.at(i, from);
  }
  return result;
}

StableSvdReport stabilise(const Projection & projection, const StableSvdConfig & config) {
  const int64_t inputs = projection.inputs(), outputs = projection.outputs(), rank = projection.lora_a->ne[1];
  std::vector<float> a = values_of(projection.lora_a), b = values_of(projection.lora_b);
  Matrix left(outputs, rank), right(inputs, rank);
  left.values.assign(b.begin(), b.end());
  for (int64_t k = 0; k < rank; k++)
    for (int64_t i = 0; i < inputs; i++) right.at(i, k) = a[static_cast<size_t>(k * inputs + i)];

  // B·A = Q_B·R_B·R_Aᵀ·Q_Aᵀ, so the r × r core in the middle has the singular values of the whole
  const Matrix r_left = orthonormalise(left), r_right = orthonormalise(right);
  Matrix core(rank, rank);
  for (int64_t i = 0; i < rank; i++)
    for (int64_t j = 0; j < rank; j++)
      for (int64_t k = 0; k < rank; k++) core.at(i, j) += r_left.at(i, k) * r_right.at(j, k);
  const Svd svd = jacobi_svd(core);
  const double largest = svd.sigma.front();
  if (largest <= 0) return {};

  StableSvdReport report;
  int64_t kept = rank;
  while (kept > 1 && svd.sigma[static_cast<size_t>(kept - 1)] < config.truncate * largest) kept--;
  const double smallest = svd.sigma[static_cast<size_t>(kept - 1)];
  report.truncated = rank - kept;
  report.condition = largest / smallest;
  report.lambda = std::max(0.0, (largest - config.condition_limit * smallest) / (config.condition_limit - 1));
  double change = 0, before = 0;
  for (int64_t i = 0; i < rank; i++) {
    const double sigma = svd.sigma[static_cast<size_t>(i)];
    change += i < kept ? report.lambda * report.lambda : sigma * sigma;
    before += sigma * sigma;
  }
  report.change = std::sqrt(change / before);

  const Matrix u = product(left, svd.u), v = product(right, svd.v);
  for (int64_t k = 0; k < rank; k++) {
    const double root = k < kept ? std::sqrt(svd.sigma[static_cast<size_t>(k)] + report.lambda) : 0;
    for (int64_t i = 0; i < outputs; i++) b[static_cast<size_t>(i * rank + k)] = static_cast<float>(u.at(i, k) * root);
    for (int64_t i = 0; i < inputs; i++) a[static_cast<size_t>(k * inputs + i)] = static_cast<float>(v.at(i, k) * (k < kept ? root : 1));
  }
  set_values(projection.lora_a, a);
  set_values(projection.lora_b, b);
  return report;
}

}  // namespace trainer
