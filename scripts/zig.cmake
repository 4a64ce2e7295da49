# Toolchain of the prebuilt packages: zig compiles for every platform from one Linux machine. scripts/prebuild.mjs passes
#   ZIG         the program
#   ZIG_TARGET  such as x86_64-linux-gnu.2.28
#   ZIG_TOOLS   a folder of one-word commands ar, ranlib and rc, for which CMake takes no arguments
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES ZIG ZIG_TARGET ZIG_TOOLS)

string(REGEX MATCH "^[a-z0-9_]+" CMAKE_SYSTEM_PROCESSOR "${ZIG_TARGET}")
if(ZIG_TARGET MATCHES "windows")
  set(CMAKE_SYSTEM_NAME Windows)
elseif(ZIG_TARGET MATCHES "macos")
  set(CMAKE_SYSTEM_NAME Darwin)
  set(CMAKE_SYSTEM_VERSION 20)
else()
  set(CMAKE_SYSTEM_NAME Linux)
endif()

set(CMAKE_CXX_COMPILER ${ZIG} c++ -target ${ZIG_TARGET})
set(CMAKE_AR ${ZIG_TOOLS}/ar CACHE FILEPATH "")
set(CMAKE_RANLIB ${ZIG_TOOLS}/ranlib CACHE FILEPATH "")
set(CMAKE_RC_COMPILER ${ZIG_TOOLS}/rc CACHE FILEPATH "")
# zig's linker does not know the options by which CMake asks for these.
set(CMAKE_CXX_LINKER_DEPFILE_SUPPORTED OFF)
set(CMAKE_CXX_LINK_DEPENDS_USE_LINKER OFF)

# zig builds its C++ library for each set of these that links something: with the addon's own from the first probe on, once.
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(CMAKE_CXX_FLAGS_INIT "-O3")
if(NOT CMAKE_SYSTEM_NAME STREQUAL Windows)
  string(APPEND CMAKE_CXX_FLAGS_INIT " -fPIC")
endif()
