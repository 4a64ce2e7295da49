{
  'variables': {
    'openblas_directory%': '<!(node scripts/openblas.mjs directory)',
    'openblas_library%': '<!(node scripts/openblas.mjs library)',
    'openblas_prefix%': '<!(node scripts/openblas.mjs prefix)',
  },
  'targets': [
    {
      'target_name': 'layerwise',
      'sources': ['<!@(node -p "Object.values(require(\'./native/sources.json\')).flat().join(\' \')")'],
      'include_dirs': ['native', 'native/core', '<!(node -p "require(\'node-addon-api\').include_dir")'],
      'defines': [
        'NAPI_VERSION=8',
        'NAPI_CPP_EXCEPTIONS',
        'NODE_ADDON_API_CPP_EXCEPTIONS_ALL',
        'NODE_ADDON_API_DISABLE_DEPRECATED',
        'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS',
        'NDEBUG',
        'LAYERWISE_BLAS_PREFIX=<(openblas_prefix)',
      ],
      # What is left are CMake's flags in CMake's order: a compiler cache then knows each file of the core again.
      'defines!': ['_LARGEFILE_SOURCE', '_FILE_OFFSET_BITS=64'],
      'cflags!': ['-fno-exceptions', '-fPIC'],
      'cflags_cc!': ['-fno-exceptions', '-fno-rtti', '-std=gnu++17', '-std=gnu++20'],
      'cflags_cc': [
        '-O3',
        '-fPIC',
        '-fvisibility=hidden',
        '-fvisibility-inlines-hidden',
        '-Wall',
        '-Wextra',
        '-Werror',
        '-fno-math-errno',
        '-fno-trapping-math',
      ],
      'libraries': ['<(openblas_library)', '-Wl,-rpath,<(openblas_directory)'],
      'conditions': [
        ['OS=="linux"', {'libraries': ['-lpthread']}],
        ['OS=="linux" and target_arch=="x64"', {'cflags_cc': ['-falign-loops=64']}],
        ['OS!="mac"', {'cflags_cc': ['-std=c++17']}],
        ['OS=="mac"', {
          'xcode_settings': {
            'CLANG_CXX_LANGUAGE_STANDARD': 'c++17',
            'CLANG_CXX_LIBRARY': 'libc++',
            'GCC_ENABLE_CPP_EXCEPTIONS': 'YES',
            'GCC_ENABLE_CPP_RTTI': 'YES',
            'GCC_OPTIMIZATION_LEVEL': '3',
            'GCC_SYMBOLS_PRIVATE_EXTERN': 'YES',
            'MACOSX_DEPLOYMENT_TARGET': '11.0',
            'OTHER_CPLUSPLUSFLAGS': ['-fno-math-errno', '-fno-trapping-math'],
          },
        }],
      ],
    },
  ],
}
