#include "base/file_lock.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <string>
#include <system_error>

#if !defined(_WIN32)
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

namespace layerwise {
namespace {

std::string place(const char* name) { return testing::TempDir() + "layerwise_" + name + ".lock"; }

bool exists(const std::string& path) { return std::ifstream(path).good(); }

TEST(FileLock, ExcludesAnotherOfTheSameProcessUntilItIsReleased) {
  const std::string path = place("same");
  auto first = FileLock::take(path);
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(FileLock::take(path), nullptr);
  first->release();
  EXPECT_FALSE(exists(path));
  EXPECT_NE(FileLock::take(path), nullptr);
  std::remove(path.c_str());
}

TEST(FileLock, EndsWithoutReleaseToo) {
  const std::string path = place("dropped");
  FileLock::take(path).reset();
  auto next = FileLock::take(path);
  ASSERT_NE(next, nullptr);
  next->release();
}

TEST(FileLock, ReportsAFolderThatIsNotThere) {
  EXPECT_THROW(FileLock::take(testing::TempDir() + "no such folder/lock"), std::system_error);
}

#if !defined(_WIN32)

TEST(FileLock, IsNotPassedToAProgramThatAChildStarts) {
  const std::string path = place("child");
  auto lock = FileLock::take(path);
  ASSERT_NE(lock, nullptr);
  int until_exec[2];
  ASSERT_EQ(pipe(until_exec), 0);
  ASSERT_EQ(fcntl(until_exec[1], F_SETFD, FD_CLOEXEC), 0);
  const pid_t child = fork();
  if (child == 0) {
    execlp("sleep", "sleep", "60", static_cast<char*>(nullptr));
    _exit(1);
  }
  // fork copied the descriptors; exec closes those that are not for the program, of which this one tells.
  close(until_exec[1]);
  char none;
  EXPECT_EQ(read(until_exec[0], &none, 1), 0);
  close(until_exec[0]);
  lock->release();
  auto next = FileLock::take(path);
  EXPECT_NE(next, nullptr);
  if (next) next->release();
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
}

TEST(FileLock, EndsWithAProcessThatIsKilled) {
  const std::string path = place("killed");
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  if (child == 0) {
    auto lock = FileLock::take(path);
    const char said = lock ? 'y' : 'n';
    if (write(ready[1], &said, 1) != 1) _exit(1);
    pause();
  }
  char said = 0;
  ASSERT_EQ(read(ready[0], &said, 1), 1);
  EXPECT_EQ(said, 'y');
  EXPECT_EQ(FileLock::take(path), nullptr);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  auto next = FileLock::take(path);
  EXPECT_NE(next, nullptr);
  if (next) next->release();
  close(ready[0]);
  close(ready[1]);
}

#endif

}  // namespace
}  // namespace layerwise
