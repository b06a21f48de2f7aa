#pragma once

// A game of collecting lights. The server alone says where everybody is: pages send which way they want to
// go, and get the whole arena twenty times a second. It runs on the application's thread.

#include "server/server.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace gallery {

// The way a player wants to go: a vector that is at most 1 long. Said again every second, or the player
// leaves.
struct game_steer {
    std::string name;
    double x = 0;
    double y = 0;
};
PULSEWIRE_MESSAGE(game_steer, "game.steer", name, x, y)

// Places are shares of the arena's sides.
struct game_player {
    std::string session;
    std::string name;
    double x = 0;
    double y = 0;
    int score = 0;
};
PULSEWIRE_FIELDS(game_player, session, name, x, y, score)

struct game_light {
    int id = 0;
    double x = 0;
    double y = 0;
};
PULSEWIRE_FIELDS(game_light, id, x, y)

struct game_tick {
    std::int64_t at_ms = 0;  // by a clock that begins with the server: a busy one is late with its ticks
    std::vector<game_player> players;
    std::vector<game_light> lights;
};
PULSEWIRE_MESSAGE(game_tick, "game.tick", at_ms, players, lights)

class game {
public:
    void add_to(pulsewire::server& server) {
        for (game_light& light : tick_.lights) place(light);
        server.publishes<game_tick>();
        server.on<game_steer>("game:", [this](const game_steer& m, pulsewire::publish_context& c) {
            steer(m, c);
        });
        server.on<game_tick>("game:", [](const game_tick&, pulsewire::publish_context& c) {
            c.reject("only the server says where everybody is");
        });
        server.every(tick_time, [this, &server] {
            if (wishes_.empty()) return;
            step();
            const auto at = std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - start_);
            tick_.at_ms = at.count();
            server.publish("game:arena", tick_, pulsewire::keeping::transient);
        });
    }

private:
    using clock = std::chrono::steady_clock;
    static constexpr auto tick_time = std::chrono::milliseconds(50);
    static constexpr auto silent_max = std::chrono::seconds(4);
    static constexpr std::size_t players_max = 16, lights_count = 5, name_bytes_max = 80;
    static constexpr double stride = 0.018, reach = 0.04, edge = 0.03;

    struct wish {
        double x, y;
        clock::time_point said;
    };

    void steer(const game_steer& m, pulsewire::publish_context& c) {
        if (m.name.empty() || m.name.size() > name_bytes_max) return c.reject("a name has 1 to 80 bytes");
        const double length = std::hypot(m.x, m.y);
        if (!std::isfinite(length)) return c.reject("a way is two numbers");
        const double part = length > 1 ? 1 / length : 1;
        if (!wishes_.contains(c.session())) {
            if (wishes_.size() >= players_max)
                return c.reject("sixteen play already; watch until one leaves");
            tick_.players.push_back({c.session(), m.name, share_(random_), share_(random_), 0});
        }
        wishes_[c.session()] = {m.x * part, m.y * part, clock::now()};
        c.drop();  // nobody else needs to know
    }

    void step() {
        const auto now = clock::now();
        std::erase_if(wishes_, [&](const auto& entry) { return now - entry.second.said > silent_max; });
        std::erase_if(tick_.players, [&](const game_player& p) { return !wishes_.contains(p.session); });
        for (game_player& p : tick_.players) {
            const wish& w = wishes_.at(p.session);
            p.x = ten_thousandths(std::clamp(p.x + stride * w.x, edge, 1 - edge));
            p.y = ten_thousandths(std::clamp(p.y + stride * w.y, edge, 1 - edge));
            for (game_light& light : tick_.lights) {
                if (std::hypot(light.x - p.x, light.y - p.y) > reach) continue;
                ++p.score;
                place(light);
            }
        }
    }

    // A light that is taken is gone; the next one has a number of its own, so that no page lets it fly.
    void place(game_light& light) {
        light = {++last_light_, ten_thousandths(share_(random_)), ten_thousandths(share_(random_))};
    }

    static double ten_thousandths(double share) { return std::round(share * 10'000) / 10'000; }

    const clock::time_point start_ = clock::now();
    game_tick tick_{0, {}, std::vector<game_light>(lights_count)};
    std::map<std::string, wish> wishes_;  // by session; whoever has one has a player
    int last_light_ = 0;
    std::mt19937_64 random_{std::random_device{}()};
    std::uniform_real_distribution<double> share_{0.08, 0.92};
};

}  // namespace gallery
