using Microsoft.Extensions.Options;

namespace Orleans.Joblib;

/// <summary>Reports all faults of <see cref="JoblibClientOptions"/> at once, by the rules of <see cref="OrleansBackendOptions"/>.</summary>
internal sealed class JoblibClientOptionsValidator : IValidateOptions<JoblibClientOptions>
{
    public ValidateOptionsResult Validate(string? name, JoblibClientOptions options)
    {
        var faults = new List<string>();
        Check(() => new OrleansBackendOptions { Lease = options.Lease });
        Check(() => new OrleansBackendOptions { ConnectTimeout = options.ConnectTimeout });
        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);

        void Check(Func<OrleansBackendOptions> make)
        {
            try
            {
                make();
            }
            catch (ArgumentOutOfRangeException exception)
            {
                faults.Add($"JoblibClientOptions: {exception.Message}");
            }
        }
    }
}
