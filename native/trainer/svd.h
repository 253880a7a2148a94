// Owns singular values: of a product B·A through QR of both factors, never of the full matrix, and StableSVD of equation 4 on top of them.
#pragma once

#include <cstdint>
#include <vector>

#include "model.h"

namespace trainer {

/// Row-major, in double: r ≤ 64 directions of vectors as long as a model is wide.
struct Matrix {
  int64_t rows = 0, columns = 0;
  std::vector<double> values;

  Matrix(int64_t row_count, int64_t column_count)
      : rows(row_count), columns(column_count), values(static_cast<size_t>(row_count * column_count), 0.0) {}
  double & at(int64_t row, int64_t column) { return values[static_cast<size_t>(row * columns + column)]; }
  double at(int64_t row, int64_t column) const { return values[static_cast<size_t>(row * columns + column)]; }
};

/// Orthonormal columns in place of `q`, and R with q_before = q · R. Gram and Schmidt, twice, which is as exact as Householder for full rank;
/// columns that depend on others become 0.
Matrix orthonormalise(Matrix & q);

struct Svd {
  Matrix u, v;  // columns are the singular vectors
  std::vector<double> sigma;
};
/// One-sided Jacobi of a square matrix: u · diag(sigma) · vᵀ, largest first.
Svd jacobi_svd(const Matrix & matrix);

struct StableSvdConfig {
  int64_t every = 0;             // steps; 0: never
  double truncate = 1e-3;        // σ below this share of the largest are dropped
  double condition_limit = 100;  // what the condition number σ₁/σᵣ may be
};

struct StableSvdReport {
  double condition = 0;   // before, of the σ that are kept
  double lambda = 0;      // added to every σ kept
  double change = 0;      // |new − old| / |old| of the product, Frobenius
  int64_t truncated = 0;  // directions dropped
};

/// Equation 4: the product B·A = Σ σᵢ uᵢ vᵢᵀ becomes Σ_{kept} (σᵢ + λ) uᵢ vᵢᵀ, and is split evenly, B = U·√Σ, A = √Σ·Vᵀ. "+ λI" is taken in the
/// basis of the singular vectors, the only place where it leaves the rank as it is. λ is the least that brings the condition number of the kept part
/// to its limit: (σ₁ + λ)/(σᵣ + λ) = limit. A dropped direction keeps its A row with norm 1 and gets a B column of 0, as a new adapter has, so that
/// it can be learned anew. Nothing happens while B·A is 0.
StableSvdReport stabilise(const Projection & projection, const StableSvdConfig & config);

}  // namespace trainer
