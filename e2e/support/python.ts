// Where a Python with PyJWT is. Debian's package is for Debian's own interpreter, which need not be the first in the path.

import {spawnSync} from 'node:child_process';

export const pythonWithJwt = (): string | undefined =>
    ['/usr/bin/python3', 'python3'].find((python) => spawnSync(python, ['-c', 'import jwt']).status === 0);
