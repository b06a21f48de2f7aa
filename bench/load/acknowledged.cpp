// Publishes and waits for the acknowledgements: measures their rate and the latency of each. On a server with
// durable channels these are the limits of its disk.

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bench/load/crowd.hpp"
#include "bench/load/dialect.hpp"
#include "bench/load/histogram.hpp"
#include "bench/load/lines.hpp"
#include "bench/load/process.hpp"
#include "bench/load/scenarios.hpp"
#include "bench/load/sequence.hpp"

namespace pulsewire::bench {
namespace {

struct publisher {
    connection* by = nullptr;
    std::uint32_t in_flight = 0;
    std::vector<std::uint64_t> sent_ns;  // by sequence; 0 once it is acknowledged
    sequence_check seen;                 // by the subscriber
};

class acknowledged final : public crowd {
public:
    explicit acknowledged(const options& o) : crowd(o), meter_(o.server_pids) {}

    report run() {
        report r;
        const std::uint32_t count = wishes().publishers != 0 ? wishes().publishers : 1;
        window_ = wishes().window != 0 ? wishes().window : 1;
        allow_descriptors(count + 1, r);
        publishers_.resize(count);
        for (publisher& p : publishers_) p.by = &add(transport::websocket, part::publisher, wishes().channel);
        add(transport::websocket, part::subscriber, wishes().channel);
        open_all();

        publish_for(wishes().warm_up_seconds);
        measure_from_ns_ = now_ns();
        const std::uint64_t before = acknowledged_;
        meter_.start();
        publish_for(wishes().seconds);
        meter_.stop();
        measure_to_ns_ = now_ns();
        const std::uint64_t counted = acknowledged_ - before;
        run_until(wishes().drain_seconds, [&] { return acknowledged_ == published_ && seen_ >= published_; });
        tell(r, counted);
        return r;
    }

    void on_message(connection& c, std::string_view message) override {
        if (c.index >= publishers_.size()) return;
        const std::uint64_t now = now_ns();
        for_each_line(message, [&](std::string_view line) {
            if (const auto number = acknowledged_number(line))
                take(publishers_[c.index], *number - publish_number_min, now);
        });
    }

    void on_delivered(connection&, const stamp& s) override {
        if (s.publisher < publishers_.size() && publishers_[s.publisher].seen.take(s.sequence)) ++seen_;
    }

private:
    void publish_for(double seconds) {
        const std::uint64_t end = now_ns() + static_cast<std::uint64_t>(seconds * 1e9);
        for (std::uint64_t now = now_ns(); now < end && lost_connections() == 0; now = now_ns()) {
            for (publisher& p : publishers_) fill_window(p);
            events().turn(end);
        }
    }

    void fill_window(publisher& p) {
        if (p.in_flight >= window_ || !p.by->is_open()) return;
        for (; p.in_flight < window_; ++p.in_flight) {
            const std::uint64_t now = now_ns();
            const auto who = static_cast<std::uint32_t>(&p - publishers_.data());
            const auto sequence = static_cast<std::uint32_t>(p.sent_ns.size());
            payload_.clear();
            append_payload(payload_, {who, sequence, now}, wishes().payload_bytes, wishes().filled_with);
            p.by->publish(payload_);
            p.sent_ns.push_back(now);
            ++published_;
        }
        p.by->flush();
    }

    void take(publisher& p, std::uint64_t number, std::uint64_t now) {
        if (number >= p.sent_ns.size() || p.sent_ns[number] == 0) {
            ++unasked_;
            return;
        }
        const std::uint64_t sent = std::exchange(p.sent_ns[number], 0);
        if (sent >= measure_from_ns_ && sent < measure_to_ns_) latency_.add(now - sent);
        ++acknowledged_;
        --p.in_flight;
    }

    void tell(report& r, std::uint64_t counted) const {
        r.add("publishers", "publishers", static_cast<double>(publishers_.size()), "");
        r.add(
            "acknowledged_per_s", "acknowledged publishes", static_cast<double>(counted) / meter_.seconds(),
            "/s"
        );
        if (meter_.knows_server())
            r.add(
                "acknowledged_per_cpu_s", "... per second of the server's CPU",
                static_cast<double>(counted) / meter_.server_cpu_seconds(), ""
            );
        const auto ms = [&](double share) { return static_cast<double>(latency_.percentile(share)) / 1e6; };
        r.add("p50_ms", "until the acknowledgement, half below", ms(0.5), "ms", 2);
        r.add("p99_ms", "99 % below", ms(0.99), "ms", 2);
        r.add("max_ms", "greatest", static_cast<double>(latency_.max()) / 1e6, "ms", 2);
        meter_.tell(r);
        delivery_faults faults;
        for (const publisher& p : publishers_)
            faults += p.seen.faults(static_cast<std::uint32_t>(p.sent_ns.size()));
        r.add("unacknowledged", "never acknowledged", static_cast<double>(published_ - acknowledged_), "");
        r.add("lost", "lost", static_cast<double>(faults.lost), "");
        r.add("reordered", "out of order", static_cast<double>(faults.reordered), "");
        r.add("repeated", "repeated", static_cast<double>(faults.repeated), "");
        if (published_ != acknowledged_) r.fail("publishes were not acknowledged");
        if (unasked_ != 0) r.fail("acknowledgements came for nothing that waited for one");
        if (faults != delivery_faults{}) r.fail("messages were lost, or came out of order or twice");
        if (counted == 0) r.fail("nothing was acknowledged");
        tell_faults(r);
    }

    meter meter_;
    std::vector<publisher> publishers_;
    std::uint32_t window_ = 1;
    std::string payload_;
    histogram latency_;
    std::uint64_t measure_from_ns_ = UINT64_MAX, measure_to_ns_ = UINT64_MAX;
    std::uint64_t published_ = 0, acknowledged_ = 0, seen_ = 0, unasked_ = 0;
};

}  // namespace

report run_publish(const options& o) {
    if (o.dialect != "pulsewire") throw std::runtime_error("this scenario speaks Pulsewire's protocol only");
    return acknowledged(o).run();
}

}  // namespace pulsewire::bench
