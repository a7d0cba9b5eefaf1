using System.Runtime.CompilerServices;

namespace Orleans.Joblib.Samples.GridSearch;

/// <summary>One linear score per label; the largest wins.</summary>
internal sealed class LinearClassifier(int classCount, int featureCount) : IClassifier
{
    private readonly float[] _scores = new float[classCount];

    /// <summary>Shape [labels, features], row-major.</summary>
    public float[] Weights { get; } = new float[classCount * featureCount];

    /// <summary>One per label.</summary>
    public float[] Intercepts { get; } = new float[classCount];

    public Span<float> Row(int label) => Weights.AsSpan(label * featureCount, featureCount);

    public int Predict(ReadOnlySpan<float> row)
    {
        Scores(row, _scores);
        return Vectors.IndexOfLargest<float>(_scores);
    }

    /// <summary>The softmax of the scores.</summary>
    public void Probabilities(ReadOnlySpan<float> row, Span<float> probabilities)
    {
        Scores(row, probabilities);

        // Relative to the largest score no exponential overflows.
        var largest = probabilities[Vectors.IndexOfLargest<float>(probabilities)];
        var sum = 0f;
        foreach (ref var score in probabilities)
        {
            score = MathF.Exp(score - largest);
            sum += score;
        }

        foreach (ref var score in probabilities)
        {
            score /= sum;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Scores(ReadOnlySpan<float> row, Span<float> scores)
    {
        for (var label = 0; label < classCount; label++)
        {
            scores[label] = Intercepts[label] + Vectors.Dot(Row(label), row);
        }
    }
}
