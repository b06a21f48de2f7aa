// The backend of the gallery of demos (web/): what the pages show comes from here.
//
//     script/server                       builds everything and starts this
//     pulsewire-gallery --web-root web/dist
//
// One function for each demo; all of them run on the application's thread and need no locks.

#include "server/server.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>
#include <list>
#include <optional>
#include <random>

using namespace std::chrono_literals;

namespace gallery {

// --- what is said; web/src/messages.ts is written from these lines ---

// The article's pages speak in plain strings.
struct text_message {
    std::string text;
};
PULSEWIRE_VALUE_MESSAGE(text_message, "message", text)

struct custom_event {
    std::string text;
};
PULSEWIRE_VALUE_MESSAGE(custom_event, "customEvent", text)

struct chat_message {
    std::string user;
    std::string text;
    // A random name of the writer's browser, so that it knows its own messages again. Anybody may copy it.
    std::optional<std::string> author;
};
PULSEWIRE_MESSAGE(chat_message, "chat.message", user, text, author)

struct chat_typing {
    std::string user;
};
PULSEWIRE_MESSAGE(chat_typing, "chat.typing", user)

struct ticker_price {
    std::string symbol;
    double price = 0;
    double change = 0;   // percent since the start
    double sent_ms = 0;  // since 1970, so that a page can show the latency
};
PULSEWIRE_MESSAGE(ticker_price, "ticker.price", symbol, price, change, sent_ms)

enum class notify_level { info, success, warning };
PULSEWIRE_ENUM(notify_level, info, success, warning)

struct notify_message {
    std::string title;
    std::string body;
    notify_level level = notify_level::info;
};
PULSEWIRE_MESSAGE(notify_message, "notify.message", title, body, level)

enum class job_state { running, done, canceled };
PULSEWIRE_ENUM(job_state, running, done, canceled)

struct job_progress {
    std::string id;
    std::string title;
    double percent = 0;
    job_state state = job_state::running;
};
PULSEWIRE_MESSAGE(job_progress, "job.progress", id, title, percent, state)

struct job_start {
    std::string title;
};
PULSEWIRE_MESSAGE(job_start, "job.start", title)

struct job_started {
    std::string id;
};
PULSEWIRE_FIELDS(job_started, id)

struct job_cancel {
    std::string id;
};
PULSEWIRE_MESSAGE(job_cancel, "job.cancel", id)

struct job_canceled {
    std::string id;
};
PULSEWIRE_FIELDS(job_canceled, id)

struct sum_add {
    double a = 0;
    double b = 0;
};
PULSEWIRE_MESSAGE(sum_add, "sum.add", a, b)

struct sum_result {
    double sum = 0;
};
PULSEWIRE_FIELDS(sum_result, sum)

// --- classic: the two pages that every article about WebSocket and SSE begins with ---

std::string clock_text() {
    const std::time_t now = std::time(nullptr);
    std::tm local{};
    localtime_r(&now, &local);
    char text[16];
    return {text, std::strftime(text, sizeof text, "%H:%M:%S", &local)};
}

void add_classic(pulsewire::server& server) {
    server.on_subscribe("classic:ws", [](pulsewire::subscription_event& e) {
        e.send(text_message{"Welcome to the WebSocket server!"});
    });
    server.on<text_message>("classic:ws", [](const text_message& m, pulsewire::publish_context& c) {
        c.send(text_message{"Server received: " + m.text});
        c.publish_to_others(text_message{"Broadcast: " + m.text});
    });

    const auto server_only = [](const auto&, pulsewire::publish_context& c) {
        c.reject("only the server speaks here");
    };
    server.on<text_message>("classic:sse", server_only);
    server.on<custom_event>("classic:sse", server_only);
    server.every(1s, [&server, count = 0]() mutable {
        ++count;
        const std::string n = std::to_string(count);
        server.publish("classic:sse", text_message{"Server time: " + clock_text() + " (Event " + n + ")"});
        if (count % 5 == 0)
            server.publish("classic:sse", custom_event{"This is a custom event at count " + n});
    });
}

// --- chat ---

// UTF-8 continuation bytes are no characters of their own.
std::size_t characters(const std::string& text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (c & 0xc0) != 0x80;
    }));
}

bool has_characters(const std::string& text, std::size_t least, std::size_t most) {
    return characters(text) >= least && characters(text) <= most;
}

void add_chat(pulsewire::server& server) {
    server.on<chat_message>("chat:", [](const chat_message& m, pulsewire::publish_context& c) {
        if (!has_characters(m.user, 1, 40)) return c.reject("a name has 1 to 40 characters");
        if (!has_characters(m.text, 1, 2000)) return c.reject("a message has 1 to 2000 characters");
        if (m.author && !has_characters(*m.author, 1, 40))
            return c.reject("an author has 1 to 40 characters");
    });
    server.on<chat_typing>("chat:", [](const chat_typing& m, pulsewire::publish_context& c) {
        if (!has_characters(m.user, 1, 40)) c.reject("a name has 1 to 40 characters");
    });
}

// --- ticker: six prices that walk at random ---

class ticker {
public:
    void add_to(pulsewire::server& server) {
        server.publishes<ticker_price>();
        server.every(100ms, [this, &server] { server.publish("ticker:prices", next()); });
    }

private:
    struct paper {
        const char* symbol;
        double start;
        double price;
    };

    ticker_price next() {
        paper& p = papers_[next_++ % papers_.size()];
        p.price = std::max(1.0, p.price * (1 + step_(random_)));
        const auto cents = [](double value) { return std::round(value * 100) / 100; };
        const auto now = std::chrono::system_clock::now().time_since_epoch();
        const auto now_ms = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
        return {p.symbol, cents(p.price), cents((p.price / p.start - 1) * 100), static_cast<double>(now_ms)};
    }

    std::array<paper, 6> papers_{
        {{"PULS", 128, 128},
         {"WIRE", 64, 64},
         {"BEAM", 256, 256},
         {"ECHO", 32, 32},
         {"FLUX", 96, 96},
         {"NOVA", 512, 512}}};
    std::size_t next_ = 0;
    std::mt19937_64 random_{std::random_device{}()};
    std::normal_distribution<double> step_{0, 0.002};
};

// --- notifications ---

void add_notifications(pulsewire::server& server) {
    server.on<notify_message>("notify:", [](const notify_message& m, pulsewire::publish_context& c) {
        if (!has_characters(m.title, 1, 80)) return c.reject("a title has 1 to 80 characters");
        if (!has_characters(m.body, 0, 500)) return c.reject("a text has at most 500 characters");
    });
}

// --- jobs: long work that everybody watches ---

class jobs {
public:
    void add_to(pulsewire::server& server) {
        server.publishes<job_progress>();
        server.handle<job_start, job_started>(
            [this, &server](const job_start& q, pulsewire::request_context&) { return start(server, q); }
        );
        server.handle<job_cancel, job_canceled>(
            [this, &server](const job_cancel& q, pulsewire::request_context&) { return cancel(server, q); }
        );
        server.every(200ms, [this, &server] { work(server); });
    }

private:
    static constexpr std::size_t running_max = 5;
    static constexpr double percent_each_time = 2.5;  // 8 seconds for all

    static void tell(pulsewire::server& server, const job_progress& j) { server.publish("jobs:all", j); }

    pulsewire::result<job_started, pulsewire::rejection> start(
        pulsewire::server& server, const job_start& q
    ) {
        if (!has_characters(q.title, 1, 80)) return reject("a title has 1 to 80 characters");
        if (running_.size() >= running_max) return reject("five jobs are running; wait until one is done");
        running_.push_back({"job-" + std::to_string(++last_), q.title, 0, job_state::running});
        tell(server, running_.back());
        return job_started{running_.back().id};
    }

    pulsewire::result<job_canceled, pulsewire::rejection> cancel(
        pulsewire::server& server, const job_cancel& q
    ) {
        const auto found =
            std::find_if(running_.begin(), running_.end(), [&](const auto& j) { return j.id == q.id; });
        if (found == running_.end()) return reject("no such job is running");
        found->state = job_state::canceled;
        tell(server, *found);
        running_.erase(found);
        return job_canceled{q.id};
    }

    void work(pulsewire::server& server) {
        for (job_progress& j : running_) {
            j.percent = std::min(100.0, j.percent + percent_each_time);
            if (j.percent == 100) j.state = job_state::done;
            tell(server, j);
        }
        running_.remove_if([](const job_progress& j) { return j.state == job_state::done; });
    }

    static pulsewire::failure<pulsewire::rejection> reject(std::string reason) {
        return pulsewire::failure{pulsewire::rejection{std::move(reason)}};
    }

    std::list<job_progress> running_;
    int last_ = 0;
};

// --- options of the channels ---

pulsewire::config defaults() {
    constexpr std::uint32_t minute = 60'000;
    pulsewire::config c;
    c.namespaces["chat"].history_count_max = 200;
    c.namespaces["chat"].history_age_ms = 24 * 60 * minute;
    c.namespaces["ticker"].history_count_max = 600;
    c.namespaces["ticker"].history_age_ms = 5 * minute;
    c.namespaces["ticker"].client_publish = false;
    c.namespaces["jobs"].client_publish = false;
    return c;
}

}  // namespace gallery

int main(int argc, char** argv) {
    pulsewire::server server(pulsewire::config::from_command_line(argc, argv, gallery::defaults()));
    gallery::ticker ticker;
    gallery::jobs jobs;
    gallery::add_classic(server);
    gallery::add_chat(server);
    ticker.add_to(server);
    gallery::add_notifications(server);
    jobs.add_to(server);
    server.handle<gallery::sum_add, gallery::sum_result>(
        [](const gallery::sum_add& q, pulsewire::request_context&) { return gallery::sum_result{q.a + q.b}; }
    );
    return server.run();
}
