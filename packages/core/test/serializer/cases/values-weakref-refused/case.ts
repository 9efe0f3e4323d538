let reference = new WeakRef({})
reference = reference
export const fn = () => reference
export const fails = /reference cannot be copied because it is a WeakRef/
