#!/usr/bin/env python3
"""Compare C sources with clang-format's opinion, minus the nginx idioms that
clang-format cannot express.

    ngx-style-check.py [-q] FILE...

Line breaks are never judged (ColumnLimit: 0); indentation inside function
bodies, brace placement, spacing around operators/casts/keywords, label and
case indentation, blank-line runs are.  Column alignment of declarations,
prototypes, #defines and file-scope tables is not judged.  Hard rules (80
columns, tabs, trailing blanks, '//' comments, blank line before else, two
blank lines between functions) are checked directly.
Exit status: 0 clean, 1 findings.
"""
import difflib, os, re, subprocess, sys

LIMIT = 0.015

HERE = os.path.dirname(os.path.abspath(__file__))
STYLE = os.environ.get('NGX_CLANG_FORMAT', os.path.join(HERE, '..', '.clang-format'))


def normalise(text):
    out, body = [], False
    for n, line in enumerate(text.split('\n'), 1):
        line = line.replace('for ( ;; )', 'for (;;)')
        line = line.replace('for ( /* void */ ;', 'for (/* void */;')
        line = re.sub(r'(?<=[\w)])\s*\|\s*(?=[A-Z(])', ' | ', line)
        indent = len(line) - len(line.lstrip(' '))
        word = re.sub(r'\s+', ' ', line.strip())
        if line.startswith('{'):
            body = True
        out.append(((' ' * indent) if body else '') + word)
        if line.startswith('}'):
            body = False
    return out


def hard_rules(path, lines):
    for n, l in enumerate(lines, 1):
        prev = lines[n - 2] if n > 1 else ''
        if len(l) > 80:
            yield n, 'longer than 80 columns (%d)' % len(l)
        if '\t' in l:
            yield n, 'tab'
        if l != l.rstrip():
            yield n, 'trailing blanks'
        code = re.sub(r'"(\\.|[^"\\])*"', '""', l)
        if re.search(r'(^|[\s;{}])//', code) \
                and not re.match(r'\s*(/?\*|#)', l):
            yield n, '// comment'
        if re.match(r'\s+\} else', l) and prev.strip():
            yield n, 'no blank line before else'
        # function definition: type line, name line, '{' in column 0
        if l == '{':
            k = n - 2
            while k > 0 and not re.match(r'[a-z_]\w*\(', lines[k]):
                k -= 1
            k -= 1                          # the type line
            above = [x for x in lines[max(k - 3, 0):k]]
            while above and re.match(r'(/\*| \*)', above[-1]):
                above = above[:-1]          # doc comment hugging the function
            if len(above) > 1 and not any(x.startswith('#') for x in above) \
                    and (above[-1].strip() or above[-2].strip()):
                yield k + 1, 'need two blank lines before function'


def main():
    files = [a for a in sys.argv[1:] if not a.startswith('-')]
    quiet = '-q' in sys.argv
    bad = total = soft = hard = 0
    for path in files:
        src = open(path, errors='replace').read()
        fmt = subprocess.run(['clang-format', '-style=file:' + STYLE, path],
                             capture_output=True, text=True,
                             errors='replace', check=True).stdout
        a, b = normalise(src), normalise(fmt)
        total += len(a)
        sm = difflib.SequenceMatcher(None, a, b, autojunk=False)
        for tag, i1, i2, j1, j2 in sm.get_opcodes():
            if tag == 'equal':
                continue
            soft += max(i2 - i1, 1)
            if not quiet:
                print('%s:%d: format' % (path, i1 + 1))
                for l in a[i1:i2]:
                    print('  - ' + l)
                for l in b[j1:j2]:
                    print('  + ' + l)
        for n, msg in hard_rules(path, src.split('\n')):
            hard += 1
            if not quiet:
                print('%s:%d: %s' % (path, n, msg))
    print('files=%d lines=%d format=%d (%.2f%%) hard=%d (%.2f%%)' % (
        len(files), total, soft, 100.0 * soft / max(total, 1),
        hard, 100.0 * hard / max(total, 1)))
    # nginx's own files differ by 0.8 to 1.2 % of their lines
    return 1 if hard or soft > total * LIMIT else 0


if __name__ == '__main__':
    sys.exit(main())
