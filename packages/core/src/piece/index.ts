export type { Compression, FormatDescriptor, PieceDescriptor } from './descriptor.ts'
export { nameOf } from './descriptor.ts'
export {
  descriptorOf,
  isSmallPiece,
  ObjectPiece,
  type PieceReadOptions,
  type PieceSurroundings,
  pieceOf,
  readerOf,
  TablePiece,
} from './object-piece.ts'
