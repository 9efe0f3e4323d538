// What configs are read and checked with. The build makes this a file of its own, of what is needed of each: all of zod alone takes
// 100 ms to load.

export { load as loadYaml } from 'js-yaml'
export {
  any,
  array,
  boolean,
  enum as choice,
  int,
  maximum,
  minimum,
  minLength,
  number,
  string,
  union,
} from 'zod/mini'
