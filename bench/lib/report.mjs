import Table from 'cli-table3'
import { markdownTable } from 'markdown-table'
import { median, quantile } from 'simple-statistics'

const HEAD = ['', 'median', 'min', 'p90', 'n', 'ratio to ours', 'target', '']

function summarize(values) {
  return { n: values.length, median: median(values), min: Math.min(...values), p90: quantile(values, 0.9) }
}

/** Adds to every row its statistics per metric, its ratio to ours, and for ours the verdict. */
export function evaluate(result) {
  if (result.skipped) return result
  const metrics = result.metrics.map(metric => {
    const stats = new Map()
    for (const row of result.rows) {
      const values = row.rounds.flat().map(sample => sample[metric.name])
      if (row.status === 'ok' && values.length && values.every(Number.isFinite))
        stats.set(row, summarize(values))
    }
    const ours = result.rows.find(row => row.kind === 'ours')
    const oursMedian = stats.get(ours)?.median
    const rows = result.rows.map(row => {
      const stat = stats.get(row)
      const ratio = stat && oursMedian && row !== ours ? stat.median / oursMedian : undefined
      return { name: row.name, kind: row.kind, note: row.note, status: row.status, ...stat, ratio }
    })
    return { ...metric, rows, verdict: judge(metric, result, rows, oursMedian) }
  })
  return { ...result, metrics }
}

function judge({ target, unit }, result, rows, value) {
  if (!target) return undefined
  const base = target.times && rows.find(row => row.name === target.times)?.median
  const bound = target.min ?? (target.times ? base && target.max * base : target.max)
  const sign = target.min === undefined ? '≤' : '≥'
  let text = `${sign} ${number(target.min ?? target.max)} ${target.times ? `× ${target.times}` : unit}`
  if (target.node) text += ` on Node ${target.node}`
  if (target.node && !result.node.startsWith(`v${target.node}.`)) return { text, outcome: 'not judged here' }
  if (value === undefined || bound === undefined) return { text, outcome: 'not measured' }
  const pass = target.min === undefined ? value <= bound : value >= bound
  const times = target.times ? ` (${number(value / base)} ×)` : ''
  return { text, outcome: `${pass ? 'pass' : 'FAIL'}${times}`, pass }
}

function number(value) {
  if (value === undefined) return ''
  const magnitude = Math.abs(value)
  if (magnitude >= 1000) return Math.round(value).toLocaleString('en-US')
  return magnitude >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)))
}

function bodyOf(metric) {
  return metric.rows.map(row => {
    const name = row.note ? `${row.name} (${row.note})` : row.name
    if (row.median === undefined)
      return [name, row.status.split('\n')[0].slice(0, 90), '', '', '', '', '', '']
    const target = row.kind === 'ours' && metric.verdict
    return [
      row.kind === 'floor' ? `floor: ${name}` : name,
      ...[row.median, row.min, row.p90, row.n].map(number),
      row.ratio === undefined ? '' : `${number(row.ratio)} ×`,
      target ? target.text : '',
      target ? target.outcome : '',
    ]
  })
}

const headline = (result, metric) => `${result.title}: ${metric.label}, ${metric.unit} (Node ${result.node})`

function noise(results) {
  const watched = results.flatMap(result => result.quiet ?? [])
  const loud = watched.filter(({ quiet }) => !quiet)
  if (loud.length === 0) return undefined
  const worst = Math.max(...loud.map(({ busy }) => busy))
  return `Warning: the machine was not quiet in ${loud.length} of ${watched.length} looks; others used up to ${Math.round(worst * 100)} % of its cores. Do not quote these figures.`
}

function facts({ machine, date, mode, lithops, results }) {
  const loads = results.flatMap(result => result.quiet ?? []).map(({ loadavg }) => loadavg[0])
  return [
    `Date: ${date}, ${mode} mode, commit ${machine.commit}`,
    `Machine: ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.system}`,
    `Node: ${machine.node}`,
    `Packages: ${Object.entries(machine.packages)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}`,
    `Lithops (Python): ${lithops}`,
    `Load average (1 min), before the rounds: ${Math.min(...loads)} to ${Math.max(...loads)}`,
  ]
}

export function toTerminal(run) {
  const parts = [...facts(run)]
  for (const result of run.results) {
    if (result.skipped) parts.push(`\n${result.title} (Node ${result.node})\n  skipped: ${result.skipped}`)
    for (const metric of result.metrics ?? []) {
      const table = new Table({ head: HEAD, style: { head: [], border: [] }, colAligns: ['left'] })
      table.push(...bodyOf(metric))
      parts.push(`\n${headline(result, metric)}\n${table}`)
    }
  }
  return [...parts, noise(run.results)].filter(Boolean).join('\n')
}

export function toMarkdown(run) {
  const parts = [
    '# Benchmark',
    facts(run)
      .map(line => `- ${line}`)
      .join('\n'),
    noise(run.results),
  ]
  for (const result of run.results) {
    if (result.skipped) parts.push(`## ${result.title} (Node ${result.node})`, `Skipped: ${result.skipped}.`)
    for (const metric of result.metrics ?? []) {
      parts.push(`## ${headline(result, metric)}`, markdownTable([HEAD, ...bodyOf(metric)]))
    }
  }
  return `${parts.filter(Boolean).join('\n\n')}\n`
}
