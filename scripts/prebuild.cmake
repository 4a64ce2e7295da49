# Included right after project() for the platforms whose OpenBLAS lies beside the addon: it is opened at run time, not linked
# (native/core/products/blas_file.h). scripts/prebuild.mjs passes its name, LAYERWISE_BLAS_FILE.
add_compile_definitions(LAYERWISE_BLAS_FILE="${LAYERWISE_BLAS_FILE}")
