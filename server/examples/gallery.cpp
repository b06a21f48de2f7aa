// The backend of the gallery of demos (web/): what the pages show comes from here.
//
//     script/server                       builds everything and starts this
//     pulsewire-gallery --web-root web/dist
//
// One function or class for each demo, the larger ones in server/examples/gallery/; all of them run on the
// application's thread and need no locks.

#include "common/access/principal.hpp"
#include "server/examples/gallery/board.hpp"
#include "server/examples/gallery/dashboard.hpp"
#include "server/examples/gallery/drop.hpp"
#include "server/examples/gallery/game.hpp"
#include "server/examples/gallery/model.hpp"
#include "server/examples/gallery/news.hpp"
#include "server/examples/gallery/victim.hpp"
#include "server/server.hpp"

#include <nlohmann/json.hpp>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>
#include <list>
#include <map>
#include <optional>
#include <random>
#include <stdexcept>
#include <vector>

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

// A visitor asks for a token in this name. The secret is of the page's own making: whoever has it may ask for
// the same name again.
struct session_open {
    std::string user;
    std::string secret;
};
PULSEWIRE_MESSAGE(session_open, "session.open", user, secret)

struct session_opened {
    std::string token;
};
PULSEWIRE_FIELDS(session_opened, token)

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

// A visitor of the square at the front page. The simulated ones walk by themselves; a place is a share of the
// width and of the height.
struct square_visitor {
    std::string name;
    double x = 0;
    double y = 0;
};
PULSEWIRE_FIELDS(square_visitor, name, x, y)

// All simulated visitors at once, so that one message is the whole picture.
struct square_walk {
    std::vector<square_visitor> visitors;
    std::string errand;         // what the first of them is doing,
    double errand_percent = 0;  // and how far that is
};
PULSEWIRE_MESSAGE(square_walk, "square.walk", visitors, errand, errand_percent)

struct square_words {
    std::string name;
    std::string text;
};
PULSEWIRE_MESSAGE(square_words, "square.words", name, text)

// The place of a real visitor's pointer.
struct square_move {
    std::string session;
    double x = 0;
    double y = 0;
};
PULSEWIRE_MESSAGE(square_move, "square.move", session, x, y)

// How a lamp is: its own word, kept, so that a dashboard knows it also of one that is gone.
struct lamp_state {
    std::string name;
    bool on = false;
    int brightness = 0;  // percent
};
PULSEWIRE_MESSAGE(lamp_state, "lamp.state", name, on, brightness)

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
    for (const char* rooms : {"chat:", "private:"}) {
        server.on<chat_message>(rooms, [](const chat_message& m, pulsewire::publish_context& c) {
            if (!has_characters(m.user, 1, 40)) return c.reject("a name has 1 to 40 characters");
            if (!has_characters(m.text, 1, 2000)) return c.reject("a message has 1 to 2000 characters");
            if (m.author && !has_characters(*m.author, 1, 40))
                return c.reject("an author has 1 to 40 characters");
        });
        server.on<chat_typing>(rooms, [](const chat_typing& m, pulsewire::publish_context& c) {
            if (!has_characters(m.user, 1, 40)) c.reject("a name has 1 to 40 characters");
        });
    }
}

// --- signing in: the demo is its own identity provider ---

std::string base64url(std::string_view bytes) {
    std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');  // OpenSSL adds a zero
    const int size = EVP_EncodeBlock(
        reinterpret_cast<unsigned char*>(text.data()), reinterpret_cast<const unsigned char*>(bytes.data()),
        static_cast<int>(bytes.size())
    );
    text.resize(static_cast<std::size_t>(size));
    while (!text.empty() && text.back() == '=') text.pop_back();
    std::replace(text.begin(), text.end(), '+', '-');
    std::replace(text.begin(), text.end(), '/', '_');
    return text;
}

// A JWT, signed with HS256.
std::string signed_token(const nlohmann::json& claims, const std::string& secret) {
    std::string token = base64url(R"({"alg":"HS256","typ":"JWT"})") + '.' + base64url(claims.dump());
    std::array<unsigned char, 32> signature{};
    const auto* text = reinterpret_cast<const unsigned char*>(token.data());
    if (HMAC(
            EVP_sha256(), secret.data(), static_cast<int>(secret.size()), text, token.size(),
            signature.data(), nullptr
        ) == nullptr)
        throw std::runtime_error("OpenSSL cannot sign");
    return token + '.' + base64url({reinterpret_cast<const char*>(signature.data()), signature.size()});
}

std::string random_secret() {
    std::array<unsigned char, 32> bytes{};
    if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1)
        throw std::runtime_error("OpenSSL has no random numbers");
    return base64url({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

// Gives each name to the page that asks for it first, and signs short tokens for it with a key that lives as
// long as this process. A product asks its users for a password instead; all else is the same (docs/auth.md).
class names {
public:
    // Somebody who configured keys or issuers decides who comes in; the demo then signs nobody in.
    void add_to(pulsewire::config& c) {
        if (!c.all_issuers().empty() || !c.api_key.empty() || !c.api_key_file.empty()) return;
        secret_ = random_secret();
        pulsewire::token_issuer& issuer = c.issuers.emplace_back();
        issuer.issuer = issuer.audience = myself;
        issuer.secret = secret_;
        // Visitors without a token see and do what they always did, in all namespaces but the private one.
        c.anonymous = true;
        c.default_namespace.allow_is_set = true;
        for (auto& [name, options] : c.namespaces) options.allow_is_set = true;
    }

    void add_to(pulsewire::server& server) {
        server.handle<session_open, session_opened>(
            [this](const session_open& q, pulsewire::request_context&) { return open(q); }
        );
    }

private:
    static constexpr const char* myself = "pulsewire-gallery";
    static constexpr auto token_life = 5min;
    static constexpr std::size_t names_max = 10'000;
    // After this the next one may have the name: nothing is left that was said to the one before.
    static constexpr auto holds_name = 2h;
    // Both names of a private room stand in the name of its channel.
    static constexpr std::size_t wire_name_bytes_max = 100;

    struct holder {
        std::string secret;
        std::chrono::steady_clock::time_point asked;
    };

    pulsewire::result<session_opened, pulsewire::rejection> open(const session_open& q) {
        const auto now = std::chrono::steady_clock::now();
        if (secret_.empty()) return reject("this server signs nobody in");
        if (!has_characters(q.user, 1, 40)) return reject("a name has 1 to 40 characters");
        if (pulsewire::access::wire_name_of(q.user).size() > wire_name_bytes_max)
            return reject("this name is too long");
        if (!has_characters(q.secret, 16, 100)) return reject("a secret has 16 to 100 characters");
        auto held = holders_.find(q.user);
        if (held != holders_.end() && held->second.secret != q.secret)
            return reject("somebody else has this name already");
        if (held == holders_.end()) {
            if (holders_.size() >= names_max && !forget_one(now))
                return reject("all names are taken for now; try again later");
            held = holders_.emplace(q.user, holder{q.secret, now}).first;
        }
        held->second.asked = now;
        return session_opened{token_for(q.user)};
    }

    bool forget_one(std::chrono::steady_clock::time_point now) {
        const auto oldest =
            std::min_element(holders_.begin(), holders_.end(), [](const auto& a, const auto& b) {
                return a.second.asked < b.second.asked;
            });
        if (now - oldest->second.asked < holds_name) return false;
        holders_.erase(oldest);
        return true;
    }

    // A private room is a channel with the names of its two users: private:ann:bob.
    std::string token_for(const std::string& user) const {
        const std::int64_t now = std::time(nullptr);
        const nlohmann::json rights = {"subscribe", "history", "publish", "presence", "show"};
        const nlohmann::json allow = {{"private:{user}:*", rights}, {"private:*:{user}", rights}};
        return signed_token(
            {{"iss", myself},
             {"aud", myself},
             {"sub", user},
             {"iat", now},
             {"exp", now + std::chrono::seconds(token_life).count()},
             {"pulsewire", {{"allow", allow}}}},
            secret_
        );
    }

    static pulsewire::failure<pulsewire::rejection> reject(std::string reason) {
        return pulsewire::failure{pulsewire::rejection{std::move(reason)}};
    }

    std::string secret_;  // empty: the demo signs nobody in
    std::map<std::string, holder> holders_;
};

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

// --- lamps: dashboards ask them directly, so the server only looks at what lamps say of themselves ---

void add_lamps(pulsewire::server& server) {
    server.on<lamp_state>("device:", [](const lamp_state& m, pulsewire::publish_context& c) {
        if (!has_characters(m.name, 1, 40)) return c.reject("a name has 1 to 40 characters");
        if (m.brightness < 0 || m.brightness > 100) c.reject("a brightness is 0 to 100 percent");
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

// --- the square: simulated visitors and the pointers of real ones, so that the front page is never still ---

class square {
public:
    void add_to(pulsewire::server& server) {
        server.on_subscribe(simulated, [this](pulsewire::subscription_event& e) { e.send(walk_); });
        const auto server_only = [](const auto&, pulsewire::publish_context& c) {
            c.reject("only the server speaks for simulated visitors");
        };
        server.on<square_walk>("square:", server_only);
        server.on<square_words>("square:", server_only);
        server.on<square_move>("square:", [](const square_move& m, pulsewire::publish_context& c) {
            const auto inside = [](double share) { return share >= 0 && share <= 1; };
            if (!inside(m.x) || !inside(m.y)) c.reject("a place is between 0 and 1");
        });
        // Transient: nobody misses where somebody walked, and nothing of it goes to the disk.
        server.every(1500ms, [this, &server] {
            step();
            server.publish(simulated, walk_, pulsewire::keeping::transient);
        });
        server.every(4s, [this, &server] {
            const auto& [who, text] = said_[next_words_++ % said_.size()];
            server.publish(
                simulated, square_words{walk_.visitors[who].name, text}, pulsewire::keeping::transient
            );
        });
    }

private:
    static constexpr const char* simulated = "square:simulated";
    static constexpr double stride = 0.12;
    static constexpr double near = 0.01;

    struct place {
        double x, y;
    };
    struct saying {
        std::size_t who;
        const char* text;
    };

    static double thousandths(double share) { return std::round(share * 1000) / 1000; }

    void step() {
        for (std::size_t i = 0; i < walk_.visitors.size(); ++i) {
            square_visitor& v = walk_.visitors[i];
            const double dx = goals_[i].x - v.x, dy = goals_[i].y - v.y;
            const double way = std::hypot(dx, dy);
            if (way < near) {
                arrive(i);
                continue;
            }
            const double part = std::min(1.0, stride / way);
            v.x = thousandths(v.x + dx * part);
            v.y = thousandths(v.y + dy * part);
        }
        walk_.errand_percent = std::round(100 * (1 - std::abs(goals_[0].x - walk_.visitors[0].x) / carry_));
    }

    // The first one goes to and fro with a parcel; the others stop now and then, each in a part of the square
    // of its own, so that nobody walks over another.
    void arrive(std::size_t i) {
        if (i == 0) {
            goals_[0].x = goals_[0].x < 0.5 ? 0.94 : 0.06;
            carry_ = std::abs(goals_[0].x - walk_.visitors[0].x);
        } else if (share_(random_) < 0.4) {
            const double left = 0.06 + 0.18 * static_cast<double>(i - 1);
            goals_[i] = {left + 0.13 * share_(random_), 0.38 + 0.28 * share_(random_)};
        }
    }

    square_walk walk_{
        {{"Ivo", 0.06, 0.84},
         {"Mira", 0.1, 0.46},
         {"Tomas", 0.3, 0.6},
         {"Aylin", 0.46, 0.42},
         {"Noor", 0.66, 0.56},
         {"Pavel", 0.84, 0.44}},
        "Ivo’s parcel",
        0};
    std::array<place, 6> goals_{
        {{0.94, 0.84}, {0.17, 0.6}, {0.26, 0.44}, {0.54, 0.62}, {0.62, 0.4}, {0.9, 0.62}}};
    double carry_ = 0.88;
    std::array<saying, 8> said_{
        {{1, "Good morning, all."},
         {2, "My train went through a tunnel. Nothing missed."},
         {3, "Has anybody seen the price of NOVA?"},
         {4, "I closed the lid for an hour, and it simply went on."},
         {5, "We are simulated. You are not."},
         {0, "Mind the parcel, please."},
         {3, "Open a second window and wave to yourself."},
         {1, "Somebody unplugged the server. I hardly noticed."}}};
    std::size_t next_words_ = 0;
    std::mt19937_64 random_{std::random_device{}()};
    std::uniform_real_distribution<double> share_{0, 1};
};

// --- options of the channels ---

pulsewire::config defaults() {
    constexpr std::uint32_t minute = 60'000;
    pulsewire::config c;
    c.namespaces["chat"].history_count_max = 200;
    c.namespaces["chat"].history_age_ms = 24 * 60 * minute;
    // Nobody by themselves: those whose token names the room.
    c.namespaces["private"] = c.namespaces["chat"];
    c.namespaces["private"].allow = pulsewire::access_rules::none();
    c.namespaces["private"].allow_is_set = true;
    // Shorter than a name is held, and not beyond the process, which forgets who had which name.
    c.namespaces["private"].history_age_ms = 60 * minute;
    c.namespaces["private"].keeps = pulsewire::durability::memory;
    c.namespaces["ticker"].history_count_max = 600;
    c.namespaces["ticker"].history_age_ms = 5 * minute;
    c.namespaces["ticker"].client_publish = false;
    c.namespaces["jobs"].client_publish = false;
    // A job ends with the server: on the disk it would seem to run for ever.
    c.namespaces["jobs"].keeps = pulsewire::durability::memory;
    c.namespaces["drop"].history_count_max = 300;
    c.namespaces["drop"].history_bytes_max = 16 << 20;
    c.namespaces["drop"].keeps = pulsewire::durability::memory;
    c.namespaces["board"].history_count_max = 2000;
    c.namespaces["board"].history_bytes_max = 4 << 20;
    c.namespaces["board"].history_age_ms = 24 * 60 * minute;
    // Late comers have all of it, whatever its age.
    c.namespaces["board"].state_bytes_max = 16 << 20;
    c.namespaces["doc"].state_bytes_max = 2 << 20;
    // The model forgets with the process what it was writing.
    c.namespaces["ai"].state_bytes_max = 1 << 20;
    c.namespaces["ai"].keeps = pulsewire::durability::memory;
    c.namespaces["ask"].history_count_max = 100;
    c.namespaces["ask"].keeps = pulsewire::durability::memory;
    c.namespaces["device"].client_requests = true;
    // Enough for a reader who is away for 15 seconds; where there is a victim, it keeps these messages
    // instead.
    c.namespaces["lose"].history_count_max = 2000;
    // The numbers of news begin anew with the server, and so does its log.
    for (const char* simulated : {"news", "scores"}) {
        c.namespaces[simulated].client_publish = false;
        c.namespaces[simulated].keeps = pulsewire::durability::memory;
    }
    c.namespaces["scores"].history_count_max = 1;
    c.namespaces["server"].client_publish = false;
    c.namespaces["server"].keeps = pulsewire::durability::memory;
    c.namespaces["victim"].client_publish = false;
    c.namespaces["victim"].keeps = pulsewire::durability::memory;
    return c;
}

}  // namespace gallery

int main(int argc, char** argv) {
    auto settings = pulsewire::config::from_command_line(argc, argv, gallery::defaults());
    gallery::names names;
    names.add_to(settings);
    gallery::dashboard dashboard(settings);
    gallery::victim victim(settings);
    pulsewire::server server(std::move(settings));
    gallery::ticker ticker;
    gallery::jobs jobs;
    gallery::square square;
    gallery::game game;
    gallery::news news;
    gallery::model model;
    gallery::add_classic(server);
    gallery::add_chat(server);
    names.add_to(server);
    ticker.add_to(server);
    gallery::add_notifications(server);
    jobs.add_to(server);
    square.add_to(server);
    gallery::add_board(server);
    gallery::add_drop(server);
    gallery::add_lamps(server);
    game.add_to(server);
    news.add_to(server);
    model.add_to(server);
    dashboard.add_to(server);
    victim.add_to(server);
    server.handle<gallery::sum_add, gallery::sum_result>(
        [](const gallery::sum_add& q, pulsewire::request_context&) { return gallery::sum_result{q.a + q.b}; }
    );
    return server.run();
}
