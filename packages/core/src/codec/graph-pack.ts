import { ProtocolError } from '../errors/index.ts'
import { ByteWriter } from './byte-writer.ts'
import type { Graph } from './graph.ts'
import { readSections, writeSections } from './sections.ts'

/** A graph as bytes, with plain JSON of the caller's beside it. */
export function packGraph(root: number, graph: Graph, meta?: unknown): Uint8Array {
  const size = graph.buffers.reduce((sum, buffer) => sum + buffer.length + 4, 256)
  const writer = new ByteWriter(size)
  writeSections(writer, JSON.stringify([root, graph.nodes, meta ?? null]), graph.buffers)
  return writer.take()
}

export interface UnpackedGraph extends Graph {
  readonly root: number
  readonly meta: unknown
}

/** Reads what `packGraph` wrote. Throws ProtocolError for damaged bytes. */
export function unpackGraph(bytes: Uint8Array, start = 0, end = bytes.length): UnpackedGraph {
  const { json, buffers } = readSections(bytes, start, end)
  if (!Array.isArray(json) || typeof json[0] !== 'number' || !Array.isArray(json[1])) {
    throw new ProtocolError('An encoded value is damaged: it is not a graph.')
  }
  return { root: json[0], nodes: json[1], meta: json[2], buffers }
}
