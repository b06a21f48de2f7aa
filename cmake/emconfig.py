# Emscripten's configuration: Debian's own, with a Node that finds Debian's acorn (any Node but Debian's does not
# look into /usr/share/nodejs, and every optimised link fails with "Cannot find module 'acorn'").
exec(open('/usr/share/emscripten/.emscripten').read())
NODE_JS = ['/usr/bin/env', 'NODE_PATH=/usr/share/nodejs', '/usr/bin/node']
