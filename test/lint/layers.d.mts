// Types of layers.mjs for its test.
export function importRefusal(from: string, source: string, typeOnly: boolean): string | null
