// All subscribers lose their connections at the same moment, come back at
// once, and want what they have missed.

#include <algorithm>
#include <stdexcept>

#include "bench/load/crowd.hpp"
#include "bench/load/lines.hpp"
#include "bench/load/process.hpp"
#include "bench/load/scenarios.hpp"
#include "bench/load/sequence.hpp"

namespace pulsewire::bench {
namespace {

// The longest time that any step may take.
constexpr double seconds_max = 60;

// `,"epoch":"x7Qa","offset":19` out of `{"op":"subscribed",…,"epoch":"x7Qa","offset":19,"replay":0}`.
std::string position_in(std::string_view line) {
    const std::size_t begin = line.find(R"(,"epoch":)");
    const std::size_t end = line.find(R"(,"replay":)");
    if (begin == line.npos || end == line.npos || end < begin)
        throw std::runtime_error("this is no answer to a subscribe: " + std::string(line));
    return std::string(line.substr(begin, end - begin));
}

class storm final : public crowd {
public:
    explicit storm(const options& o) : crowd(o), meter_(o.server_pids) {}

    report run() {
        report r;
        const std::uint32_t count = wishes().connections != 0 ? wishes().connections : 1'000;
        allow_descriptors(count + 1, r);
        for (std::uint32_t i = 0; i < count; ++i)
            add(transport::websocket, part::subscriber, wishes().channel);
        // The publisher stays connected and is not measured.
        crowd publisher(wishes());
        connection& p = publisher.add(transport::websocket, part::publisher, wishes().channel);
        publisher.open_all();
        open_all();
        publish_all(publisher, p);

        recovering_ = true;
        checks_.assign(count, {});
        delivered_ = 0;
        for (auto& c : members()) c->close();
        meter_.start();
        open_all(count);
        const std::uint64_t wanted = std::uint64_t{count} * wishes().messages;
        run_until(seconds_max, [&] { return delivered_ >= wanted || lost_connections() != 0; });
        meter_.stop();
        tell(r);
        publisher.tell_faults(r);
        return r;
    }

    void on_message(connection& c, std::string_view message) override {
        for_each_line(message, [&](std::string_view line) {
            if (!line.starts_with(R"({"op":"subscribed")")) return;
            if (!recovering_) c.resume = position_in(line);
            if (recovering_ && line.find(R"("recovered":true)") != line.npos) ++recovered_;
        });
    }

    void on_delivered(connection& c, const stamp& s) override {
        if (!recovering_ || checks_[c.index].take(s.sequence)) ++delivered_;
    }

private:
    void publish_all(crowd& publisher, connection& p) {
        std::string payload;
        for (std::uint32_t i = 0; i < wishes().messages; ++i) {
            payload.clear();
            append_payload(payload, {0, i, now_ns()}, wishes().payload_bytes, wishes().filled_with);
            p.publish(payload);
            p.flush();
            const std::uint64_t wanted = (i + std::uint64_t{1}) * members().size();
            // Two event loops take turns.
            const bool all = run_until(seconds_max, [&] {
                publisher.run_until(0, [] { return false; });
                return delivered_ >= wanted || lost_connections() + publisher.lost_connections() != 0;
            });
            if (!all || delivered_ < wanted)
                throw std::runtime_error("what is to be recovered could not even be published");
        }
    }

    void tell(report& r) const {
        const auto count = static_cast<double>(members().size());
        delivery_faults faults;
        for (const sequence_check& check : checks_) faults += check.faults(wishes().messages);
        r.add("connections", "subscribers", count, "");
        r.add("messages", "messages that each recovers", wishes().messages, "");
        r.add("seconds", "until everybody has everything", meter_.seconds(), "s", 3);
        if (meter_.knows_server()) {
            const double cpu = meter_.server_cpu_seconds();
            r.add("recoveries_per_cpu_s", "recoveries per second of the server's CPU", count / cpu, "");
            r.add("messages_per_cpu_s", "messages in them", count * wishes().messages / cpu, "");
        }
        meter_.tell(r);
        r.add("lost", "lost", static_cast<double>(faults.lost), "");
        r.add("reordered", "out of order", static_cast<double>(faults.reordered), "");
        r.add("repeated", "repeated", static_cast<double>(faults.repeated), "");
        if (recovered_ != members().size())
            r.fail(
                std::to_string(members().size() - recovered_) +
                " were told that their position is not recovered"
            );
        if (faults != delivery_faults{}) r.fail("not everybody got everything once and in order");
        tell_faults(r);
    }

    meter meter_;
    bool recovering_ = false;
    std::uint64_t delivered_ = 0;
    std::size_t recovered_ = 0;
    std::vector<sequence_check> checks_;
};

}  // namespace

report run_storm(const options& o) {
    if (o.dialect != "pulsewire")
        throw std::runtime_error("recovery is Pulsewire's: this scenario has no other dialect");
    return storm(o).run();
}

}  // namespace pulsewire::bench
