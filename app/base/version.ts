// Owns the version of the program: that of package.json, compiled in.
import manifest from '../../package.json' with { type: 'json' }

export const version: string = manifest.version
