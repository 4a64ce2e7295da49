// Preloaded into a process, makes one of its calls fail that concern files in a folder:
//
//   cc -shared -fPIC -O1 failing-files.c -o failing-files.so -ldl
//   FAILING_FOLDER=/path FAILING_CONTROL=/file LD_PRELOAD=failing-files.so node …
//
// The file FAILING_CONTROL has three 32-bit numbers, which the process itself writes: how many calls there are before the one that fails (below
// 0: none fails), its error number, and what the shim adds: how many failed.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static int32_t *control;
static const char *folder;

__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("FAILING_CONTROL");
  folder = getenv("FAILING_FOLDER");
  if (path == NULL || folder == NULL) return;
  int file = open(path, O_RDWR);
  if (file < 0) return;
  void *place = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (place != MAP_FAILED) control = place;
}

static int fails_at(const char *path) {
  if (control == NULL || path == NULL || strncmp(path, folder, strlen(folder)) != 0) return 0;
  if (__atomic_load_n(&control[0], __ATOMIC_SEQ_CST) < 0) return 0;
  if (__atomic_fetch_sub(&control[0], 1, __ATOMIC_SEQ_CST) != 0) return 0;
  __atomic_fetch_add(&control[2], 1, __ATOMIC_SEQ_CST);
  errno = control[1];
  return 1;
}

static int fails_on(int file) {
  if (control == NULL || __atomic_load_n(&control[0], __ATOMIC_SEQ_CST) < 0) return 0;
  char name[64], path[PATH_MAX];
  snprintf(name, sizeof name, "/proc/self/fd/%d", file);
  ssize_t length = readlink(name, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return fails_at(path);
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define ON_FILE(result, name, parameters, arguments) \
  result name parameters { return fails_on(file) ? -1 : NEXT(name) arguments; }
#define AT_PATH(result, name, parameters, arguments) \
  result name parameters { return fails_at(path) ? -1 : NEXT(name) arguments; }

ON_FILE(ssize_t, write, (int file, const void *data, size_t size), (file, data, size))
ON_FILE(ssize_t, pwrite, (int file, const void *data, size_t size, off_t at), (file, data, size, at))
ON_FILE(ssize_t, pwrite64, (int file, const void *data, size_t size, off64_t at), (file, data, size, at))
ON_FILE(ssize_t, writev, (int file, const struct iovec *parts, int count), (file, parts, count))
ON_FILE(ssize_t, read, (int file, void *data, size_t size), (file, data, size))
ON_FILE(ssize_t, pread, (int file, void *data, size_t size, off_t at), (file, data, size, at))
ON_FILE(ssize_t, pread64, (int file, void *data, size_t size, off64_t at), (file, data, size, at))
ON_FILE(int, fsync, (int file), (file))
ON_FILE(int, fdatasync, (int file), (file))
ON_FILE(int, ftruncate, (int file, off_t size), (file, size))
ON_FILE(int, fchmod, (int file, mode_t mode), (file, mode))
AT_PATH(int, rename, (const char *path, const char *to), (path, to))
AT_PATH(int, link, (const char *path, const char *to), (path, to))
AT_PATH(int, mkdir, (const char *path, mode_t mode), (path, mode))
AT_PATH(ssize_t, readlink, (const char *path, char *to, size_t size), (path, to, size))

static int open_next(const char *name, const char *path, int flags, mode_t mode) {
  if (fails_at(path)) return -1;
  return ((int (*)(const char *, int, ...))dlsym(RTLD_NEXT, name))(path, flags, mode);
}
#define OPENS(name)                                    \
  int name(const char *path, int flags, ...) {         \
    mode_t mode = 0;                                   \
    if (flags & (O_CREAT | O_TMPFILE)) {               \
      va_list more;                                    \
      va_start(more, flags);                           \
      mode = va_arg(more, mode_t);                     \
      va_end(more);                                    \
    }                                                  \
    return open_next(#name, path, flags, mode);        \
  }
OPENS(open)
OPENS(open64)
