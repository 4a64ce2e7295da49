#pragma once
#include <cstdint>

#if defined(__SSE__) || defined(_M_X64)
#include <immintrin.h>
#endif

namespace layerwise {

// Flushes denormals to zero on this thread during its lifetime and then restores the thread's setting, because JavaScript's
// arithmetic must not change. Pool threads and callers on the JavaScript thread use the same setting, so that they compute the
// same bits.
class DenormalsOff {
 public:
  DenormalsOff() : saved_(read()) { write(saved_ | kFlush); }
  ~DenormalsOff() { write(saved_); }
  DenormalsOff(const DenormalsOff&) = delete;
  DenormalsOff& operator=(const DenormalsOff&) = delete;

 private:
#if defined(__SSE__) || defined(_M_X64)
  using Word = unsigned;
  static constexpr Word kFlush = 0x8040;  // FTZ and DAZ
  static Word read() { return _mm_getcsr(); }
  static void write(Word word) { _mm_setcsr(word); }
#elif defined(__aarch64__)
  using Word = std::uint64_t;
  static constexpr Word kFlush = 1u << 24;  // FZ
  static Word read() {
    Word word;
    __asm__ volatile("mrs %0, fpcr" : "=r"(word));
    return word;
  }
  static void write(Word word) { __asm__ volatile("msr fpcr, %0" : : "r"(word)); }
#else
  using Word = int;
  static constexpr Word kFlush = 0;
  static Word read() { return 0; }
  static void write(Word) {}
#endif
  Word saved_;
};

}  // namespace layerwise
