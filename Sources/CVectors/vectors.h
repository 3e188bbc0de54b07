// What the processor does to sixteen floats in an instruction and the standard library lane by lane.

typedef float CVector __attribute__((ext_vector_type(16)));

/// √x, correctly rounded.
static inline __attribute__((always_inline)) CVector vector_square_root(CVector x) {
  return __builtin_elementwise_sqrt(x);
}
