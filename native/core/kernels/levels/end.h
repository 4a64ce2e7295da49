// Ends what a level's header began. The last line of a part's table.
#if defined(__clang__) && defined(__x86_64__) && LAYERWISE_VECTOR_BYTES > 16
#pragma clang attribute pop
#endif
