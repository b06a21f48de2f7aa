// Very many channels: the cost of subscribing to each, publishing into it and leaving it, and whether that
// cost grows with their number.

#include <algorithm>
#include <stdexcept>

#include "bench/load/crowd.hpp"
#include "bench/load/lines.hpp"
#include "bench/load/process.hpp"
#include "bench/load/scenarios.hpp"

namespace pulsewire::bench {
namespace {

constexpr double seconds_max = 120;
// Unanswered commands of each connection.
constexpr std::uint64_t commands_in_flight = 512;

class channels final : public crowd {
public:
    explicit channels(const options& o) : crowd(o) {}

    report run() {
        report r;
        const std::uint32_t count = wishes().channels != 0 ? wishes().channels : 100'000;
        const std::uint32_t connections = wishes().connections != 0 ? wishes().connections : 10;
        each_ = std::max(1u, count / connections);
        for (std::uint32_t i = 0; i < connections; ++i) add(transport::websocket, part::publisher, {});
        open_all();
        r.add("connections", "connections", connections, "");
        r.add("channels", "channels of each", each_, "");

        const auto before = resident_bytes(wishes().server_pids);
        // The first tenth is reported separately, to show whether the cost grows.
        const std::uint32_t tenth = std::max(1u, each_ / 10);
        step(r, "subscribe_first", "subscribes, the first tenth", R"({"op":"subscribe")", 0, tenth, "");
        step(r, "subscribe_rest", "... the rest", R"({"op":"subscribe")", tenth, each_, "");
        const auto after = resident_bytes(wishes().server_pids);
        if (before && after) {
            const double all = static_cast<double>(each_) * connections;
            r.add(
                "rss_per_channel_bytes", "server's memory for each subscribed channel",
                (static_cast<double>(*after) - static_cast<double>(*before)) / all, "bytes"
            );
        }
        step(
            r, "publish", "publishes, one into each, delivered", R"({"op":"publish")", 0, each_,
            R"(,"type":"bench","payload":1)"
        );
        step(r, "unsubscribe", "unsubscribes", R"({"op":"unsubscribe")", 0, each_, "");
        tell_faults(r);
        return r;
    }

    void on_message(connection& c, std::string_view message) override {
        for_each_line(message, [&](std::string_view line) {
            if (line.starts_with(R"({"op":"error")")) on_refused(c, line);
            if (line.starts_with(R"({"op":"subscribed")") || line.starts_with(R"({"op":"unsubscribed")") ||
                line.starts_with(R"({"op":"published")"))
                ++answered_;
            if (line.starts_with(R"({"type":"bench")")) ++delivered_;
        });
    }

private:
    // Every connection sends the command for its channels from `first` to before `last`.
    void step(
        report& r, const std::string& key, const std::string& label, std::string_view command,
        std::uint32_t first, std::uint32_t last, std::string_view more
    ) {
        const std::uint64_t all = std::uint64_t{last - first} * members().size();
        if (all == 0 || refusals() != 0) return;
        const bool publishes = command == R"({"op":"publish")";
        answered_ = delivered_ = 0;
        std::uint64_t said = 0;
        meter m(wishes().server_pids);
        m.start();
        const bool done = run_until(seconds_max, [&] {
            // In turns, so that what is in flight is spread evenly over the connections.
            while (said != all && said - answered_ < commands_in_flight * members().size()) {
                const auto batch = std::min<std::uint64_t>(all - said, members().size() * 32);
                say_batch(command, first, more, said, batch);
                said += batch;
            }
            return (answered_ >= all && (!publishes || delivered_ >= all)) || lost_connections() != 0 ||
                   refusals() != 0;
        });
        m.stop();
        if (!done || answered_ < all) r.fail("not every answer came: " + label);
        r.add(key + "_per_s", label, static_cast<double>(all) / m.seconds(), "/s");
        if (m.knows_server())
            r.add(
                key + "_per_cpu_s", "... per second of the server's CPU",
                static_cast<double>(all) / m.server_cpu_seconds(), ""
            );
    }

    // Sends the commands `said` to said + batch - 1 of this step, as one message for each connection.
    void say_batch(
        std::string_view command, std::uint32_t first, std::string_view more, std::uint64_t said,
        std::uint64_t batch
    ) {
        texts_.resize(members().size());
        for (std::uint64_t i = said; i != said + batch; ++i) {
            const std::size_t who = i % members().size();
            const std::uint64_t channel = first + i / members().size();
            std::string& text = texts_[who];
            if (!text.empty()) text += '\n';
            text.append(command).append(",\"id\":").append(std::to_string(++id_)).append(",\"channel\":\"");
            text.append(wishes().channel)
                .append(std::to_string(who))
                .append(":")
                .append(std::to_string(channel));
            text.append("\"").append(more).append("}");
        }
        for (std::size_t who = 0; who != members().size(); ++who) {
            if (!texts_[who].empty() && members()[who]->is_open()) members()[who]->say(texts_[who]);
            texts_[who].clear();
        }
    }

    std::uint32_t each_ = 0;
    std::uint64_t id_ = 0, answered_ = 0, delivered_ = 0;
    std::vector<std::string> texts_;
};

}  // namespace

report run_channels(const options& o) {
    if (o.dialect != "pulsewire") throw std::runtime_error("this scenario speaks Pulsewire's protocol only");
    return channels(o).run();
}

}  // namespace pulsewire::bench
