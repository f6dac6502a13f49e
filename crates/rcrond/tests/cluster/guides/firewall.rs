//! docs/stores/firewall.md and examples/rcrond/nftables.conf name the same ports. That they suffice is tested with etcd's guide.

const GUIDE: &str = include_str!("../../../../../docs/stores/firewall.md");
const RULES: &str = include_str!("../../../../../examples/rcrond/nftables.conf");

#[test]
fn the_example_opens_each_port_of_the_table() {
    let input = RULES
        .split("chain output")
        .next()
        .expect("a chain")
        .replace("ssh", "22");
    let opened: Vec<&str> = input.split(|character: char| !character.is_ascii_digit()).collect();
    let cells = GUIDE.lines().flat_map(|line| line.split('|').map(str::trim));
    let ports: Vec<&str> = cells.filter_map(|cell| cell.strip_prefix("TCP ")).collect();
    assert!(ports.len() > 7, "{ports:?}");
    for port in ports {
        assert!(opened.contains(&port), "{port} is not in nftables.conf");
    }
}
