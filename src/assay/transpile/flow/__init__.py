"""A network in real numbers: affine calls, products, maxima and functions of one variable."""
