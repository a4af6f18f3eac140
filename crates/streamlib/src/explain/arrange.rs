//! Where boxes go in a picture of boxes and links: columns from left to right, few crossings, straight lines.

/// A box to be placed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tile {
    /// Its column.
    pub(super) column: usize,
    /// Its height.
    pub(super) height: f64,
}

/// A line from a box to one of a later column, with the heights inside the boxes at which it leaves and arrives.
#[derive(Clone, Copy, Debug)]
pub(super) struct Edge {
    pub(super) from: (usize, f64),
    pub(super) to: (usize, f64),
    /// Whether it is rather to be straight than the others.
    pub(super) is_main: bool,
}

/// Where everything is.
#[derive(Debug)]
pub(super) struct Arrangement {
    /// Top of each box.
    pub(super) tops: Vec<f64>,
    /// Per edge, its height in each column that it crosses, from left to right.
    pub(super) crossings: Vec<Vec<f64>>,
}

/// Space between boxes of one column.
const GAP: f64 = 26.0;
/// Height that a line takes where it crosses a column.
const LANE: f64 = 14.0;
/// Sweeps that order and straighten: more change nothing that is seen.
const SWEEPS: usize = 12;

/// A box or a place where a line crosses a column, with lines to the neighbouring columns.
#[derive(Default)]
struct Item {
    column: usize,
    height: f64,
    top: f64,
    left: Vec<Line>,
    right: Vec<Line>,
}

/// A line to another item: the height there, and the height here.
struct Line {
    other: usize,
    there: f64,
    here: f64,
    is_main: bool,
}

pub(super) fn arrange(tiles: &[Tile], edges: &[Edge]) -> Arrangement {
    let item = |tile: &Tile| Item { column: tile.column, height: tile.height, ..Item::default() };
    let mut items: Vec<Item> = tiles.iter().map(item).collect();
    let mut lanes = Vec::new();
    for edge in edges {
        let (mut at, mut height) = edge.from;
        let mut own = Vec::new();
        for column in items[at].column + 1..items[edge.to.0].column {
            items.push(Item { column, height: LANE, ..Item::default() });
            let lane = items.len() - 1;
            join(&mut items, (at, height), (lane, LANE / 2.0), edge.is_main);
            (at, height) = (lane, LANE / 2.0);
            own.push(lane);
        }
        join(&mut items, (at, height), edge.to, edge.is_main);
        lanes.push(own);
    }
    let mut columns: Vec<Vec<usize>> = Vec::new();
    for (index, item) in items.iter().enumerate() {
        columns.resize_with(columns.len().max(item.column + 1), Vec::new);
        columns[item.column].push(index);
    }
    for sweep in 0..SWEEPS {
        let from_left = sweep % 2 == 0;
        let mut order: Vec<usize> = (0..columns.len()).collect();
        if !from_left {
            order.reverse();
        }
        for column in order {
            // Orders settle first, then only heights move.
            place(&mut items, &mut columns[column], from_left, sweep < SWEEPS / 2);
        }
    }
    let highest = items.iter().map(|item| item.top).fold(f64::INFINITY, f64::min);
    let tops = items[..tiles.len()].iter().map(|item| item.top - highest).collect();
    let crossings = lanes
        .into_iter()
        .map(|own| own.into_iter().map(|lane| items[lane].top - highest + LANE / 2.0).collect());
    Arrangement { tops, crossings: crossings.collect() }
}

fn join(items: &mut [Item], from: (usize, f64), to: (usize, f64), is_main: bool) {
    items[from.0].right.push(Line { other: to.0, there: to.1, here: from.1, is_main });
    items[to.0].left.push(Line { other: from.0, there: from.1, here: to.1, is_main });
}

/// Puts the items of a column where their lines to the column before them are as straight as they can be.
fn place(items: &mut [Item], column: &mut [usize], from_left: bool, reorder: bool) {
    let mean = |item: &Item, main_only: bool, height: &dyn Fn(&Line) -> f64| {
        let lines = if from_left { &item.left } else { &item.right };
        let main_only = main_only && lines.iter().any(|line| line.is_main);
        let lines = lines.iter().filter(|line| line.is_main || !main_only);
        let (sum, count) = lines.fold((0.0, 0), |(sum, count), line| (sum + height(line), count + 1));
        (count > 0).then(|| sum / f64::from(count))
    };
    if reorder {
        // Lines cross least where those that come from further up arrive further up.
        let key = |index: usize| {
            let item = &items[index];
            let arrives = mean(item, false, &|line| items[line.other].top + line.there);
            arrives.unwrap_or(item.top + item.height / 2.0)
        };
        column.sort_by(|&a, &b| key(a).total_cmp(&key(b)));
    }
    let straight = |index: usize| {
        let wish = mean(&items[index], !reorder, &|line| items[line.other].top + line.there - line.here);
        (index, wish.unwrap_or(items[index].top))
    };
    let wishes: Vec<(usize, f64)> = column.iter().map(|&index| straight(index)).collect();
    // Heights above become part of the wish, so that what is left is to find rising numbers close to given ones: items that
    // want to be in each other's place move together, to the mean of what they want.
    let mut above = 0.0;
    let mut groups: Vec<(f64, usize)> = Vec::new();
    for (index, wish) in &wishes {
        let mut group = (wish - above, 1);
        above += items[*index].height + GAP;
        while let Some((mean, count)) = groups.pop_if(|(mean, _)| *mean > group.0) {
            let all = count + group.1;
            group = ((mean * count as f64 + group.0 * group.1 as f64) / all as f64, all);
        }
        groups.push(group);
    }
    let mut above = 0.0;
    let places = groups.into_iter().flat_map(|(mean, count)| std::iter::repeat_n(mean, count));
    for (place, &mut index) in places.zip(column) {
        items[index].top = place + above;
        above += items[index].height + GAP;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_is_straight_and_boxes_never_overlap() {
        let tile = |column| Tile { column, height: 40.0 };
        let tiles = [tile(0), tile(1), tile(2), tile(1), tile(1)];
        let edge = |from, to| Edge { from: (from, 10.0), to: (to, 10.0), is_main: to != 2 };
        let edges = [edge(0, 1), edge(1, 2), edge(0, 2), edge(0, 3), edge(3, 2), edge(0, 4)];
        let placed = arrange(&tiles, &edges);
        let mut middle: Vec<f64> = [1, 3, 4].map(|index| placed.tops[index]).to_vec();
        middle.sort_by(f64::total_cmp);
        assert!(middle.windows(2).all(|pair| pair[1] - pair[0] >= 40.0 + GAP), "{middle:?}");
        assert_eq!(placed.crossings[2].len(), 1, "the long line crosses one column");
        let chain = arrange(&tiles[..3], &edges[..2]);
        assert!(chain.tops.iter().all(|top| top.abs() < 1e-9), "{:?}", chain.tops);
    }
}
