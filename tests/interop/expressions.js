// expressions.js -- what spdx-expression-parse and spdx-satisfies make of the lines of standard input
// (see expressions.c): "ok" or "error", then "satisfied", "not" or "-".
const parse = require('spdx-expression-parse')
const satisfies = require('spdx-satisfies')
for (const line of require('fs').readFileSync(0, 'utf8').split('\n').slice(0, -1)) {
  const [expression, list] = line.split('|')
  let read = 'ok', satisfied = '-'
  try { parse(expression) } catch (e) { read = 'error' }
  if (list !== undefined) {
    try { satisfied = satisfies(expression, list.split(',')) ? 'satisfied' : 'not' } catch (e) { satisfied = 'error' }
  }
  console.log(`${read}\t${satisfied}`)
}
