#pragma once

// The audit log: one line of JSON for each decision that somebody may want to look up later. It holds no key
// and no payload; text of clients is printable and cut.

#include <cstdint>
#include <string>
#include <string_view>

namespace pulsewire::shell {

// Empty members are left out.
struct audit_entry {
    std::string_view event;   // "refused", "forbidden", "api", "start", "reload", "drain"
    std::string_view reason;  // of a refusal: "key", "origin", "host", "token", "connections", "connects"
    std::string_view client;  // its address
    std::string_view method;
    std::string_view path;
    std::string_view named;                     // by the client: the origin or the host that was refused
    std::string_view key;                       // the name of the API key
    std::string_view user, operation, channel;  // of a command that was forbidden
    std::string_view setting;                   // the one that would change the decision
    std::uint64_t left_out = 0;                 // entries before this one that the bounds kept out
};

// One line without its end; `wall_ms` in milliseconds since 1970.
std::string audit_text(const audit_entry& e, std::int64_t wall_ms);

class audit_log {
public:
    // Appends to the file, which is made for the server's user alone; "-": to the log. Throws
    // std::runtime_error with a sentence for the operator.
    explicit audit_log(const std::string& path);
    ~audit_log();
    audit_log(const audit_log&) = delete;
    audit_log& operator=(const audit_log&) = delete;

    // From any thread. A line that cannot be written is reported in the log, once until one can be.
    void write(std::string_view line);

private:
    std::string path_;
    int file_ = -1;
};

}  // namespace pulsewire::shell
