/** Version of this package, the same as in package.json: written here too, because a bundle has no package.json beside it. */
export const version = '0.2.0'
