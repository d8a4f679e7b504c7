#!/usr/bin/env node
'use strict'
// Starts the bundle, or the modules it is made of when there is no bundle or one of them was built after it.
const { readFileSync, statSync } = require('node:fs')
const { join } = require('node:path')

const inPackage = (file) => join(__dirname, '..', file)
const timeOf = (file) => statSync(inPackage(file), { throwIfNoEntry: false })?.mtimeMs ?? 0

function isFresh() {
  const made = timeOf('bundle/made-from.json')
  return made > 0 && JSON.parse(readFileSync(inPackage('bundle/made-from.json'), 'utf8')).every((file) => timeOf(file) < made)
}

if (isFresh()) require(inPackage('bundle/xr-save-helper.cjs'))
else void import('../dist/main.js')
