#pragma once

// The text that the server prints on standard output when it has started. Scripts read the line
// "listening on http://<host>:<port>".

namespace pulsewire::shell {

class node;

void print_start(const node& all);

}  // namespace pulsewire::shell
