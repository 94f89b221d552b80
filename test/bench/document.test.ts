import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import {
  documentFile,
  pictureFolder,
  readRecorded,
  recordedFile,
  withMeasured,
} from '../../bench/document.ts'
import { picturesOf } from '../../bench/pictures.ts'

// `npm run bench -- --redraw` writes what belongs there.
test.skipIf(!existsSync(recordedFile))(
  'the document and its pictures tell what the recorded run gave',
  () => {
    const document = readFileSync(documentFile, 'utf8')
    const results = readRecorded()
    expect(withMeasured(document, results)).toBe(document)
    const pictures = picturesOf(results)
    const kept = readdirSync(pictureFolder).filter((file) => file.endsWith('.svg'))
    expect(kept.toSorted()).toEqual(pictures.map(({ file }) => file).toSorted())
    for (const { file, svg } of pictures) {
      expect(readFileSync(join(pictureFolder, file), 'utf8')).toBe(svg)
    }
  },
)
