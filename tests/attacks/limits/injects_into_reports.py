"""Raises and prints what a terminal, a browser or a spreadsheet would obey."""

import os

INJECTION = (
    '=HYPERLINK("http://evil.example","click") <script>document.title=\'owned\'</script> \x1b[2J\x1b]0;owned\x07 '
    "\u202etxt.exe\u2066 \x00 \ud800 ]]> @SUM(1+1)"
)


def temporal_split(timestamps, test_fraction):
    print(INJECTION)
    os.write(1, b"\x1b[2J")
    raise type(INJECTION.replace("\x00", ""), (Exception,), {})(INJECTION)
