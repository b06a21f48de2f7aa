#include "server/start_lines.hpp"

#include "server/base/host_name.hpp"
#include "server/config/settings.hpp"
#include "server/log.hpp"
#include "server/shard/node.hpp"
#include "server/version.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <string>

namespace pulsewire::shell {
namespace {

// The address as a person or a script can use it.
std::string host_of(const std::string& address) {
    if (address == "0.0.0.0" || address == "::") return "127.0.0.1";
    if (address.find(':') != std::string::npos) return "[" + address + "]";
    return address;
}

// "queue_bytes_max 2097152 (default 1048576)", one line each; settings shown by the other lines are left out.
std::string changed_settings(config c) {
    static constexpr std::string_view told[] = {"address", "port",      "threads",         "web_root",
                                                "data",    "log_level", "tls_certificate", "tls_key"};
    config defaults;
    const auto now = settings_of(c);
    const auto before = settings_of(defaults);
    std::string lines;
    for (std::size_t i = 0; i < now.size(); ++i) {
        if (std::find(std::begin(told), std::end(told), now[i].name) != std::end(told)) continue;
        const std::string value = text_of(now[i]);
        const std::string normal = text_of(before[i]);
        if (value == normal) continue;
        lines += "  " + std::string(now[i].name) + ": " + (is_secret(now[i]) ? "set" : value);
        if (!is_secret(now[i]) && !normal.empty()) lines += " (default " + normal + ")";
        lines += '\n';
    }
    return lines;
}

void log_start(const node& all, const std::string& where) {
    log::write(
        log::level::info, "listening on " + where,
        {{"event", "start"},
         {"version", version},
         {"threads", std::uint64_t{all.shard_count()}},
         {"connections_max", std::uint64_t{all.connections_max()}},
         {"restored", std::string_view(all.restored())}}
    );
}

}  // namespace

void print_start(const node& all) {
    const config& c = all.settings();
    const std::string tls = all.has_tls() ? "s" : "";
    const bool has_key = !c.api_key.empty() || !c.api_key_file.empty() || !c.api_keys.empty();
    const std::string authority = host_of(c.address) + ":" + std::to_string(all.port());
    if (log::used_format() == log::format::json) return log_start(all, "http" + tls + "://" + authority);
    std::string text = "pulsewire " + std::string(version) + ", " + std::to_string(all.shard_count()) +
                       (all.shard_count() == 1 ? " thread" : " threads") + ", up to " +
                       std::to_string(all.connections_max()) + " connections\n";
    text += "listening on http" + tls + "://" + authority + "\n";
    if (c.address == "0.0.0.0" || c.address == "::") text += "  reachable on every address of this machine\n";
    text += "  WebSocket   ws" + tls + "://" + authority + c.base_path +
            "/ws (pulsewire.v1), /ws/plain/<channel> (raw text)\n";
    text += "  SSE         http" + tls + "://" + authority + c.base_path +
            "/events?channel=<channel>, /sse (pulsewire.v1)\n";
    text += "  HTTP API    http" + tls + "://" + authority + c.base_path +
            "/api/channels/<channel>/messages" +
            (has_key ? " (API key required)\n" : " (no API key: open)\n");
    text += "  operating   /healthz, /livez, /readyz, /metrics" +
            std::string(has_key ? " (API key required)\n" : " (this machine alone)\n");
    // A key is easily taken for more than it is.
    if (!c.issuers.empty())
        text += "  clients     show a token of " + c.issuers.front().issuer +
                (c.issuers.size() > 1 ? " or another issuer" : "") +
                (c.anonymous ? ", or come without one\n" : "\n");
    else if (has_key || !is_loopback_address(c.address))
        text += "  clients     everyone who reaches this port may subscribe and publish, without a key\n";
    if (all.has_tls())
        text += "  TLS         " + c.tls_certificate + " (valid until " +
                utc_text(all.certificate_expires_s()) + ")\n";
    if (!c.web_root.empty()) text += "  files       " + c.web_root + "\n";
    if (!c.data.empty()) text += "  data        " + c.data + " (" + all.restored() + ")\n";
    if (const std::string changed = changed_settings(c); !changed.empty())
        text += "settings that differ from their defaults:\n" + changed;
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);
}

}  // namespace pulsewire::shell
