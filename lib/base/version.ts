/** Version of this package, the same as in package.json. Repeated here because a bundle has no package.json. */
export const version = '0.2.0'
