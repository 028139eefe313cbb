//! What samples of a smaller size are made of.

/// So many neighbouring inputs for each output, from `firsts` on, and their weights.
pub struct Taps {
    /// By output.
    pub firsts: Vec<usize>,
    /// Inputs of an output.
    pub each: usize,
    /// Output by output.
    pub weights: Vec<f32>,
}

impl Taps {
    /// A triangle as wide as a step, one input at least, cut off at the edges; the photo covers `extent` of
    /// the `inputs`.
    pub fn new(extent: f64, inputs: usize, outputs: usize) -> Self {
        let step = extent / outputs as f64;
        let reach = step.max(1.0);
        let each = ((2.0 * reach).ceil() as usize + 1).min(inputs);
        let mut taps =
            Taps { firsts: Vec::with_capacity(outputs), each, weights: Vec::with_capacity(outputs * each) };
        let mut heights = vec![0.0; each];
        for output in 0..outputs {
            let centre = (output as f64 + 0.5) * step;
            let first = ((centre - reach + 0.5).max(0.0) as usize).min(inputs - each);
            for (input, height) in (first..).zip(&mut heights) {
                *height = (1.0 - ((input as f64 + 0.5 - centre) / reach).abs()).max(0.0);
            }
            let sum: f64 = heights.iter().sum();
            taps.firsts.push(first);
            taps.weights.extend(heights.iter().map(|height| (height / sum) as f32));
        }
        taps
    }

    /// An output's inputs and their weights, without those of no weight.
    pub fn of(&self, output: usize) -> impl Iterator<Item = (usize, f32)> + '_ {
        let weights = &self.weights[output * self.each..][..self.each];
        (self.firsts[output]..).zip(weights.iter().copied()).filter(|(_, weight)| *weight > 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_of_an_output_add_up_to_one_whatever_the_sizes() {
        for (extent, inputs, outputs) in [(500.0, 500, 256), (0.125, 1, 9), (37.5, 38, 37), (2.0, 2, 200)] {
            let taps = Taps::new(extent, inputs, outputs);
            for output in 0..outputs {
                let sum: f32 = taps.of(output).map(|(_, weight)| weight).sum();
                assert!((sum - 1.0).abs() < 1e-5);
                assert!(taps.of(output).all(|(input, _)| input < inputs));
            }
        }
    }
}
