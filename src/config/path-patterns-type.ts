/** Type of the options that name files to watch. Pure. */
import { posix } from 'node:path';
import { dataType, reject, WrongValue } from './datatype.ts';
import { expandHome, requireText, wordList } from './datatypes.ts';

const FORM = 'an absolute path, with *, ? and ** as wildcards; %(here)s is the directory of the file';

/** Absolute paths with commas or spaces between them. `*` and `?` stand for text in a name, `**` for directories. */
export const pathPatterns = dataType<readonly string[]>(
  'path, …',
  (value, context) =>
    wordList.parse(value, context).map((word) => {
      const path = requireText(expandHome(word, context));
      if (!path.startsWith('/')) reject(word, FORM);
      if (path.includes('{'))
        throw new WrongValue(`"${word}" has braces, which are no wildcards; write a pattern for each of the words`);
      return posix.normalize(path);
    }),
  (patterns) => patterns.join(', '),
);
