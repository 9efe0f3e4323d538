let module = new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]))
module = module
export const fn = () => new WebAssembly.Instance(module)
export const fails = /module cannot be copied because it is a WebAssembly/
