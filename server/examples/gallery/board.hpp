#pragma once

// The whiteboard: strokes and their withdrawal are kept, so that late comers draw the same board from the
// channel's history; pointers are transient.

#include "server/server.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

namespace gallery {

// Points are x and y in turns, shares of the width and of the height of the board.
struct board_stroke {
    std::string id;
    std::string by;  // the session that drew it: the server's word, whatever the page wrote
    int pen = 0;     // the colour, and with `width` the look
    int width = 0;
    std::vector<double> points;
};
PULSEWIRE_MESSAGE(board_stroke, "board.stroke", id, by, pen, width, points)

// Takes a stroke away. Pages heed it where `by` is the session that drew the stroke.
struct board_undo {
    std::string id;
    std::string by;
};
PULSEWIRE_MESSAGE(board_undo, "board.undo", id, by)

// Takes everything away that was drawn before.
struct board_clear {
    std::string by;
};
PULSEWIRE_MESSAGE(board_clear, "board.clear", by)

// Where somebody's pointer is, and the part of a stroke that it has drawn since the last one.
struct board_pointer {
    std::string by;
    double x = 0;
    double y = 0;
    int pen = 0;
    int width = 0;
    std::vector<double> points;
};
PULSEWIRE_MESSAGE(board_pointer, "board.pointer", by, x, y, pen, width, points)

inline void add_board(pulsewire::server& server) {
    constexpr std::size_t points_max = 1000;
    constexpr int pens = 6, widths = 3;
    const auto looks = [](int pen, int width) {
        return pen >= 0 && pen < pens && width >= 0 && width < widths;
    };
    const auto on_board = [](const std::vector<double>& points) {
        return points.size() <= points_max && points.size() % 2 == 0 &&
               std::all_of(points.begin(), points.end(), [](double p) { return p >= 0 && p <= 1; });
    };
    server.on<board_stroke>("board:", [=](board_stroke m, pulsewire::publish_context& c) {
        if (m.id.empty() || m.id.size() > 40) return c.reject("an id has 1 to 40 characters");
        if (m.points.empty() || !on_board(m.points))
            return c.reject("a stroke has 1 to 500 points on the board");
        if (!looks(m.pen, m.width)) return c.reject("there are six pens and three widths");
        m.by = c.session();
        c.publish_instead(m);
    });
    server.on<board_undo>("board:", [](board_undo m, pulsewire::publish_context& c) {
        if (m.id.empty() || m.id.size() > 40) return c.reject("an id has 1 to 40 characters");
        m.by = c.session();
        c.publish_instead(m);
    });
    server.on<board_clear>("board:", [](board_clear m, pulsewire::publish_context& c) {
        m.by = c.session();
        c.publish_instead(m);
    });
    server.on<board_pointer>("board:", [=](board_pointer m, pulsewire::publish_context& c) {
        if (!c.transient()) return c.reject("pointers are transient");
        if (!on_board({m.x, m.y}) || !on_board(m.points)) return c.reject("a pointer is on the board");
        if (!looks(m.pen, m.width)) return c.reject("there are six pens and three widths");
        m.by = c.session();
        c.publish_to_others(m);
    });
}

}  // namespace gallery
