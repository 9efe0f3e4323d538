import { area, Square, renamed, nested } from './shapes/index.ts'
import main from './shapes/index.ts'
export const fn = () => [area(new Square(3)), renamed(), nested.deep(), main.label]
export const expected = [9, 'original', 'deep', 'shapes']
