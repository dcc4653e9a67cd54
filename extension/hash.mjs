// Writes beside the built bundle what it was built from: a test compares it with the sources, without Node.
// One line a file, `SHA-256  path`, sorted by path; the digest of those lines is the bundle's name.
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';

const sources = ['package.json', 'package-lock.json', 'tsconfig.json', ...readdirSync('src').map(name => `src/${name}`)];
const lines = sources
  .sort()
  .map(path => `${createHash('sha256').update(readFileSync(path)).digest('hex')}  ${path}\n`);
writeFileSync('../kernel/project_o/labextension/sources.sha256', lines.join(''));
