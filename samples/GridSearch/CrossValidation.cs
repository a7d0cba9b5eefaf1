using System.Diagnostics;

namespace Orleans.Joblib.Samples.GridSearch;

/// <summary>The function that the grid search calls: fits a model to a fold's training rows and scores it on its test rows.</summary>
internal static class CrossValidation
{
    public static Score Evaluate(Dataset data, Model model, Fold fold)
    {
        var start = Stopwatch.GetTimestamp();
        var classifier = model.Fit(data.Take(fold.Train));
        var right = fold.Test.Count(row => classifier.Predict(data.Row(row)) == data.Labels[row]);
        return new Score((double)right / fold.Test.Length, Stopwatch.GetElapsedTime(start));
    }
}
