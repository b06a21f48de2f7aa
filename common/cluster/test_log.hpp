#pragma once

// A log for tests: records as processes write them that have read all before.

#include "common/cluster/partition_state.hpp"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace pulsewire::cluster {

class test_log {
public:
    explicit test_log(const log_rules& r = {}) : rules(r), state(r, {}) {}

    // Appends a record of the process, and applies it; returns what became of it. `effects` are its own.
    verdict write(process_id process, record_body body) { return write(head(process), std::move(body)); }
    verdict write(record r, record_body body) {
        r.body = std::move(body);
        records.push_back(encode(r));
        effects.clear();
        const verdict what = state.apply(records.back(), effects).what;
        if (what == verdict::counted) seqs[r.process] = {r.connection, r.seq};
        return what;
    }
    // A new connection of the process.
    verdict say_hello(process_id process, std::string_view incarnation = "one") {
        record r = head(process);
        ++r.connection;
        r.seq = 1;
        return write(r, hello{1, state.chain().position() == 0, !incarnation.empty(), incarnation});
    }
    verdict set_options(process_id process, const shared_options& o = {}) {
        const std::string bytes = encode(o);
        return write(process, options_record{bytes});
    }
    verdict publish(
        process_id process, std::string_view channel, std::string_view payload, std::string_view key = {}
    ) {
        publish_op p;
        p.channel = channel;
        p.type = "t";
        p.key = key;
        p.payload = payload;
        p.content = std::hash<std::string_view>()(payload);
        p.accepted_ms = state.processes().log_ms();
        return write(process, operations{{p}});
    }
    verdict join(process_id process, std::string_view session, std::uint64_t token) {
        join_op j;
        j.channel = "room";
        j.session = session;
        j.token = token;
        return write(process, operations{{j}});
    }
    // The next record of the process, written with everything read.
    record head(process_id process) {
        record r;
        r.process = process;
        r.connection = seqs[process].first;
        r.seq = seqs[process].second + 1;
        r.base = state.chain().base();
        r.clock = clocks[process];
        return r;
    }
    template <class Effect>
    std::size_t count() const {
        std::size_t n = 0;
        for (const effect& e : effects) n += std::holds_alternative<Effect>(e);
        return n;
    }

    log_rules rules;
    partition_state state;
    std::vector<std::string> records;
    std::vector<effect> effects;
    std::map<process_id, hub::instant> clocks;
    std::map<process_id, std::pair<log_connection, std::uint64_t>> seqs;
};

}  // namespace pulsewire::cluster
