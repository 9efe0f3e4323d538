import dayjs from 'dayjs'
import utc from 'dayjs/plugin/utc.js'
dayjs.extend(utc)
const start = dayjs('2024-02-28')
export const cases = [
  { name: 'captured date', fn: () => start.add(2, 'day').format('YYYY-MM-DD'), expected: '2024-03-01', warns: /start/ },
  { name: 'function', fn: (iso: string) => dayjs(iso).isValid(), args: ['nope'], expected: false },
  { name: 'a plugin is loaded in the function', fn: () => { dayjs.extend(utc); return dayjs.utc(0).format('YYYY-MM-DD') }, expected: '1970-01-01' },
]
