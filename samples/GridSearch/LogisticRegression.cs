using System.Globalization;
using System.Runtime.CompilerServices;

namespace Orleans.Joblib.Samples.GridSearch;

/// <summary>Multinomial logistic regression with an L2 penalty, fitted by Nesterov's accelerated gradient descent over all rows: no randomness, no line search.</summary>
/// <param name="L2">The penalty's weight against the mean cross-entropy; the intercept is not penalised.</param>
internal sealed record LogisticRegression(double L2) : Model
{
    private const int Steps = 100;
    private const int PowerIterations = 30;

    public override string Name => "logistic regression";

    public override string Parameters => $"l2={L2.ToString("0.0e+0", CultureInfo.InvariantCulture)}";

    public override IClassifier Fit(Dataset training)
    {
        var mean = Mean(training);
        var centred = Centred(training, mean);
        var model = new LinearClassifier(training.ClassCount, training.FeatureCount);
        var ahead = new LinearClassifier(training.ClassCount, training.FeatureCount);
        var gradient = new LinearClassifier(training.ClassCount, training.FeatureCount);

        // Böhning's bound on the curvature is half the largest eigenvalue of the features' covariance; 1 over it is a step that cannot overshoot.
        var step = 1 / ((0.5 * LargestEigenvalue(centred)) + L2);
        for (var t = 0; t < Steps; t++)
        {
            Gradient(centred, ahead, gradient);
            var momentum = t / (t + 3.0);
            Step(model.Weights, ahead.Weights, gradient.Weights, step, momentum);
            Step(model.Intercepts, ahead.Intercepts, gradient.Intercepts, step, momentum);
        }

        // w·(x − mean) + b = w·x + (b − w·mean): the model takes rows as they are.
        for (var label = 0; label < training.ClassCount; label++)
        {
            model.Intercepts[label] -= Vectors.Dot(model.Row(label), mean);
        }

        return model;
    }

    private static float[] Mean(Dataset data)
    {
        var mean = new float[data.FeatureCount];
        for (var i = 0; i < data.Count; i++)
        {
            Vectors.AddScaled(mean, data.Row(i), 1f / data.Count);
        }

        return mean;
    }

    // Without it the largest eigenvalue is the mean's, twenty times the next, and the step that it allows too short to get anywhere.
    private static Dataset Centred(Dataset data, float[] mean)
    {
        var features = data.Features.ToArray();
        for (var i = 0; i < data.Count; i++)
        {
            Vectors.AddScaled(features.AsSpan(i * data.FeatureCount, data.FeatureCount), mean, -1);
        }

        return data with { Features = features };
    }

    private static double LargestEigenvalue(Dataset data)
    {
        var direction = new float[data.FeatureCount];
        Array.Fill(direction, 1);
        var length = 0.0;
        for (var iteration = 0; iteration < PowerIterations; iteration++)
        {
            var next = new float[data.FeatureCount];
            for (var i = 0; i < data.Count; i++)
            {
                Vectors.AddScaled(next, data.Row(i), Vectors.Dot(data.Row(i), direction) / data.Count);
            }

            length = Math.Sqrt(Vectors.Dot(next, next));
            Array.Clear(direction);
            Vectors.AddScaled(direction, next, (float)(1 / length));
        }

        // Power iteration comes from below.
        return 1.05 * length;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Gradient(Dataset training, LinearClassifier at, LinearClassifier gradient)
    {
        Array.Clear(gradient.Weights);
        Array.Clear(gradient.Intercepts);
        var probabilities = new float[training.ClassCount];
        for (var i = 0; i < training.Count; i++)
        {
            var row = training.Row(i);
            at.Probabilities(row, probabilities);
            for (var label = 0; label < training.ClassCount; label++)
            {
                var error = (probabilities[label] - (label == training.Labels[i] ? 1 : 0)) / training.Count;
                Vectors.AddScaled(gradient.Row(label), row, error);
                gradient.Intercepts[label] += error;
            }
        }

        Vectors.AddScaled(gradient.Weights, at.Weights, (float)L2);
    }

    private static void Step(float[] model, float[] ahead, float[] gradient, double step, double momentum)
    {
        for (var i = 0; i < model.Length; i++)
        {
            var next = (float)(ahead[i] - (step * gradient[i]));
            ahead[i] = (float)(next + (momentum * (next - model[i])));
            model[i] = next;
        }
    }
}
