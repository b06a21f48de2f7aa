#pragma once

// Simulated news and scores, which only the server says. The page that shows them uses nothing but the
// browser's own EventSource.

#include "server/server.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace gallery {

struct news_item {
    std::int64_t number = 0;  // grows by one, so that a reader can see that none is missing
    std::string topic;
    std::string title;
};
PULSEWIRE_MESSAGE(news_item, "news.item", number, topic, title)

struct score_match {
    std::string home;
    std::string away;
    int home_goals = 0;
    int away_goals = 0;
};
PULSEWIRE_FIELDS(score_match, home, away, home_goals, away_goals)

// All matches at once, so that the newest message is the whole truth.
struct score_board {
    int minute = 0;
    std::vector<score_match> matches;
};
PULSEWIRE_MESSAGE(score_board, "score.board", minute, matches)

class news {
public:
    void add_to(pulsewire::server& server) {
        server.publishes<news_item, score_board>();
        server.every(std::chrono::seconds(2), [this, &server] { play(server); });
        server.every(std::chrono::seconds(9), [this, &server] {
            const auto& [topic, title] = headlines_[next_headline_++ % headlines_.size()];
            tell(server, topic, title);
        });
    }

private:
    static constexpr int minutes = 90;
    static constexpr double goal_in_a_minute = 0.03;  // in one match, about three in all

    struct headline {
        const char* topic;
        const char* title;
    };

    void play(pulsewire::server& server) {
        if (++board_.minute > minutes) {
            board_.minute = 0;
            for (score_match& m : board_.matches) m.home_goals = m.away_goals = 0;
        }
        for (score_match& m : board_.matches) {
            if (board_.minute == 0 || share_(random_) >= goal_in_a_minute) continue;
            const bool home = share_(random_) < 0.55;
            ++(home ? m.home_goals : m.away_goals);
            std::string words = home ? m.home : m.away;
            words.append(" scores: ").append(m.home).append(" ").append(std::to_string(m.home_goals));
            words.append(", ").append(m.away).append(" ").append(std::to_string(m.away_goals));
            tell(server, "Goal", std::move(words));
        }
        server.publish("scores:all", board_);
    }

    void tell(pulsewire::server& server, std::string topic, std::string title) {
        server.publish("news:all", news_item{++last_, std::move(topic), std::move(title)});
    }

    score_board board_{
        0,
        {{"Harbour United", "North Bridge", 0, 0},
         {"Old Mill", "Riverside", 0, 0},
         {"Lakeview", "Station Town", 0, 0},
         {"Hillcrest", "Market Square", 0, 0}}};
    std::array<headline, 8> headlines_{
        {{"City", "The last payphone is a library now; its only book is long overdue"},
         {"Weather", "Sun expected, umbrellas sold out anyway"},
         {"Science", "A lost message was found, and had never been lost"},
         {"Culture", "The museum of waiting opens at last"},
         {"Transport", "The train through the long tunnel keeps its connection"},
         {"City", "The town clock and its sundial agree again, at night they do not"},
         {"Science", "Researchers count the sheep of a sleepless night: none came twice"},
         {"Business", "The factory for loose ends ties up a deal"}}};
    std::size_t next_headline_ = 0;
    std::int64_t last_ = 0;
    std::mt19937_64 random_{std::random_device{}()};
    std::uniform_real_distribution<double> share_{0, 1};
};

}  // namespace gallery
