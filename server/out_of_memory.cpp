#include "server/out_of_memory.hpp"

#include <unistd.h>

#include <new>
#include <string_view>

namespace pulsewire {
namespace {

// Nothing here may allocate, or wait for a lock.
[[noreturn]] void end() {
    static constexpr std::string_view text =
        "error: out of memory, so the server ends. Give it more, or lower connections_max, channels_max or "
        "the "
        "history of namespaces (docs/operating.md); what was acknowledged as durable is kept\n";
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
    ::_exit(out_of_memory_exit_code);
}

}  // namespace

void end_process_without_memory() {
    std::set_new_handler(end);
}

}  // namespace pulsewire
