using Microsoft.Extensions.Options;

namespace Orleans.Joblib.Silo;

/// <summary>Reports all faults of <see cref="SiloWorkerOptions"/> at once.</summary>
internal sealed class SiloWorkerOptionsValidator : IValidateOptions<SiloWorkerOptions>
{
    public ValidateOptionsResult Validate(string? name, SiloWorkerOptions options)
    {
        var faults = new List<string>();
        if (options.Slots is { } slots and (< 1 or > SiloWorkerOptions.MostSlots))
        {
            faults.Add($"SiloWorkerOptions.Slots must not be '{slots}'. Use '1' to '{SiloWorkerOptions.MostSlots}', or leave it out for SlotsPerCore.");
        }

        if (options.SlotsPerCore is not (>= 0.01 and <= 1024))
        {
            faults.Add($"SiloWorkerOptions.SlotsPerCore must not be '{options.SlotsPerCore}'. Use '0.01' to '1024'.");
        }

        if (!Enum.IsDefined(options.Workers))
        {
            faults.Add($"SiloWorkerOptions.Workers must not be '{options.Workers}'. Use 'Threads' or 'Processes'.");
        }

        if (options.IdleWorkerTimeout < TimeSpan.Zero || options.IdleWorkerTimeout > SiloWorkerOptions.LongestIdleWorkerTimeout)
        {
            faults.Add($"SiloWorkerOptions.IdleWorkerTimeout must not be '{options.IdleWorkerTimeout}'. Use '00:00:00' to '{SiloWorkerOptions.LongestIdleWorkerTimeout.TotalDays:0}.00:00:00'.");
        }

        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }
}
