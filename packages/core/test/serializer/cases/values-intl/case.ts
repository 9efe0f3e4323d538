const money = new Intl.NumberFormat('en-US', { style: 'currency', currency: 'EUR' })
const days = new Intl.DateTimeFormat('en-GB', { timeZone: 'UTC', dateStyle: 'long' })
const plural = new Intl.PluralRules('en')

export const fn = () => [money.format(1234.5), days.format(new Date(0)), plural.select(1)]
export const expected = ['€1,234.50', '1 January 1970', 'one']
export const warns = /money|Intl/
