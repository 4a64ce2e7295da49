import { describe, expect, test } from 'vitest'
import { type ConfusionPlotOptions, confusionPlot } from '../lib/inspect/confusion-plot.js'
import { expectError, thrown } from './refusal.js'
import { elementsOf } from './xml.js'

const confusion = [
  [8, 2, 0],
  [0, 5, 0],
  [0, 0, 0],
]
const named = (svg: string, wanted: string) => elementsOf(svg).filter(({ name }) => name === wanted)
const texts = (svg: string) => named(svg, 'text').map(({ text }) => text)

describe('a plot of a confusion matrix', () => {
  test('has a cell for each pair of classes with rows, the darker the larger its share of the true class', () => {
    const cells = named(confusionPlot({ confusion }), 'rect').filter(
      ({ attributes }) => attributes['fill-opacity'],
    )
    const shades = cells.map(({ attributes }) => Number(attributes['fill-opacity']))
    expect(shades).toHaveLength(3)
    expect(shades[0]).toBeLessThan(shades[2]!)
    expect(shades[1]).toBeLessThan(shades[0]!)
    expect(cells.map(({ attributes }) => Number(attributes.x))).toEqual([0, 44, 44])
  })

  test('has numbers in its cells, and names beside rows and columns', () => {
    const svg = confusionPlot({ confusion }, { classes: ['cat', 'dog', '<eel>'], title: 'Pets' })
    const written = texts(svg)
    expect(written.slice(0, 3)).toEqual(['8', '2', '5'])
    for (const name of ['cat', 'dog', '&lt;eel&gt;']) {
      expect(written.filter((text) => text === name)).toHaveLength(2)
    }
    expect(named(svg, 'title').map(({ text }) => text)).toEqual(['Pets'])
  })

  test('omits numbers if cells are too small', () => {
    const svg = confusionPlot(
      { confusion: confusion.map((row) => row.map((count) => count * 1e5)) },
      { cell: 8 },
    )
    expect(texts(svg).filter((text) => /00000$/.test(text))).toEqual([])
  })

  test('rotates names that are wider than a cell', () => {
    const classes = ['a long name', 'another one', 'c']
    const turned = named(confusionPlot({ confusion }, { classes }), 'text').filter(
      ({ attributes }) => attributes['text-anchor'] === 'end' && attributes.transform,
    )
    expect(turned.map(({ text }) => text)).toEqual(classes)
  })

  test.each<[string, unknown, unknown, string, string]>([
    ['nothing', undefined, undefined, 'ERR_ARGUMENT', 'score.confusion: '],
    ['no rows', { confusion: [] }, undefined, 'ERR_ARGUMENT', 'score.confusion: '],
    ['a matrix that is not square', { confusion: [[1, 2]] }, undefined, 'ERR_ARGUMENT', 'score.confusion: '],
    ['rows that are not there', { confusion: new Array(2) }, undefined, 'ERR_ARGUMENT', 'score.confusion: '],
    [
      'a number that is not there',
      { confusion: [new Array(1)] },
      undefined,
      'ERR_ARGUMENT',
      'score.confusion[0][0]: ',
    ],
    [
      'names that are not there',
      { confusion },
      { classes: new Array(3) },
      'ERR_ARGUMENT',
      'options.classes[0]: ',
    ],
    ['a fraction', { confusion: [[0.5]] }, undefined, 'ERR_ARGUMENT', 'score.confusion[0][0]: '],
    ['too few names', { confusion }, { classes: ['a'] }, 'ERR_SHAPE', 'options.classes: '],
    ['a number of names', { confusion }, { classes: 3 }, 'ERR_ARGUMENT', 'options.classes: '],
    [
      'a name that is no text',
      { confusion },
      { classes: ['a', 'b', 3] },
      'ERR_ARGUMENT',
      'options.classes[2]: ',
    ],
    ['a title that is no text', { confusion }, { title: 3 }, 'ERR_ARGUMENT', 'options.title: '],
    ['cells of no size', { confusion }, { cell: 0 }, 'ERR_ARGUMENT', 'options.cell: '],
    ['an unknown option', { confusion }, { zoom: 2 }, 'ERR_ARGUMENT', "'zoom'"],
  ])('refuses %s', (_, score, options, code, message) => {
    const error = thrown(() => confusionPlot(score as never, options as ConfusionPlotOptions))
    expectError(error, code, message)
  })
})
